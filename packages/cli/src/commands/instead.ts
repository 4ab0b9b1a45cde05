/** What to do instead of commands of kubectl that have nothing to work on here. */
const INSTEAD: ReadonlyMap<string, string> = new Map([
  ['attach', 'no process runs in a container here: use ssh, or docker attach'],
  ['auth', 'what a token may do is written next to it at the registry: docs/operating.md'],
  ['autoscale', 'you start and stop the instances; rollcall scale changes the desired number'],
  [
    'config',
    'there is no configuration file: set ROLLCALL_URL, ROLLCALL_NAMESPACE, ROLLCALL_TOKEN',
  ],
  ['cp', 'no process runs in a container here: use scp, or docker cp'],
  ['debug', 'rollcall explain svc NAME says why an instance is or is not called'],
  ['exec', 'no process runs in a container here: use ssh, or docker exec'],
  ['kustomize', 'kustomize build DIR | rollcall apply -f - does the same'],
  [
    'logs',
    'a process writes its own log, on the host that rollcall get instances -o wide shows; rollcall events shows what the registry saw',
  ],
  ['proxy', 'the API needs none: curl $ROLLCALL_URL/v1/..., see docs/api.md'],
  [
    'rollout',
    'you restart the instances: rollcall drain each one, restart it, rollcall wait for it',
  ],
  ['set', 'rollcall patch or rollcall edit changes fields'],
  ['taint', 'nothing is scheduled here; rollcall cordon INSTANCE takes an instance out of use'],
]);

/** What to do instead of a command that there is not; undefined when it is unknown. */
export function insteadOf(name: string): string | undefined {
  return INSTEAD.get(name);
}
