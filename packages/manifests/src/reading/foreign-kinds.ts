const START = 'start it yourself, as in: rollcall run --service NAME --port PORT -- COMMAND';

/** What to use here for Kubernetes kinds that cannot be declared; tutorials have them beside their Services. */
const FOREIGN: Readonly<Record<string, string>> = {
  Pod: `instances stand where pods do, and nothing is started here: ${START}`,
  ReplicaSet: `a Deployment counts instances, and nothing is started here: ${START}`,
  StatefulSet: `a headless Service names each instance, and nothing is started here: ${START}`,
  DaemonSet: `a Deployment counts instances, and nothing is started here: ${START}`,
  Job: `nothing is started here: ${START}`,
  CronJob: `nothing is started here: ${START}`,
  Namespace: 'a namespace needs no declaring: it is there as soon as something is in it',
  Node: 'machines are not declared here',
};

/** What to do about an unsupported Kubernetes kind; undefined when it is not one. */
export function foreignKind(kind: string): string | undefined {
  const remedy = Object.hasOwn(FOREIGN, kind) ? FOREIGN[kind] : undefined;
  return remedy && `${remedy}. Leave this document out, or apply with --partial`;
}
