const START = 'start it yourself, as in: rollcall run --service NAME --port PORT -- COMMAND';

/** What to use here for Kubernetes kinds that cannot be declared; tutorials have them beside their Services. */
const FOREIGN: Readonly<Record<string, string>> = {
  Pod: `the registry has instances instead of pods, and starts nothing: ${START}`,
  ReplicaSet: `a Deployment counts instances, and nothing is started here: ${START}`,
  StatefulSet: `a headless Service names each instance, and nothing is started here: ${START}`,
  DaemonSet: `a Deployment counts instances, and nothing is started here: ${START}`,
  Job: `nothing is started here: ${START}`,
  CronJob: `nothing is started here: ${START}`,
  Namespace: 'a namespace does not have to be declared: it exists as soon as it contains something',
  Node: 'machines are not declared here',
};

/** What to do about an unsupported Kubernetes kind; undefined when it is not one. */
export function foreignKind(kind: string): string | undefined {
  const remedy = Object.hasOwn(FOREIGN, kind) ? FOREIGN[kind] : undefined;
  return remedy && `${remedy}. Leave this document out, or apply with --partial`;
}
