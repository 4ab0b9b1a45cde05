import { fieldOf, type ManifestFault } from './fault.ts';

/** The position of a path in the text. */
export type Locate = (path: readonly (string | number)[]) => { line: number; column: number };

const TYPES = ['ClusterIP', 'NodePort', 'LoadBalancer', 'ExternalName'];

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

type Note = (path: (string | number)[], message: string, fix: string) => void;

/** Finds typical mistakes from tutorials of Services, before the schema reports them as unknown fields. */
export function diagnoseService(value: unknown, locate: Locate): ManifestFault[] {
  const faults: ManifestFault[] = [];
  if (!isObject(value)) return faults;
  const note: Note = (path, message, fix) =>
    faults.push({ ...locate(path), field: fieldOf(path), message, fix });
  for (const name of ['name', 'namespace', 'labels', 'annotations']) {
    if (!(name in value)) continue;
    const message = `${name} is at the top level, where it has no effect`;
    note([name], message, `indent it under metadata: metadata.${name}`);
  }
  if (value['kind'] !== 'Service') return faults;
  for (const name of ['selector', 'ports', 'type', 'clusterIP', 'externalName']) {
    if (!(name in value)) continue;
    const message = `${name} is at the top level, where it has no effect`;
    note([name], message, `indent it under spec: spec.${name}`);
  }
  if (isObject(value['spec'])) diagnoseSpec(value['spec'], note);
  return faults;
}

function diagnoseSpec(spec: Record<string, unknown>, note: Note): void {
  for (const name of ['port', 'targetPort', 'nodePort', 'protocol', 'containerPort']) {
    if (!(name in spec)) continue;
    const message = `${name} is next to ports: it belongs to one of them`;
    note(
      ['spec', name],
      message,
      `indent it to stand below the port's first field: spec.ports[0].${name}`,
    );
  }
  const { type, ports, externalName } = spec;
  for (const [i, port] of (Array.isArray(ports) ? ports : []).entries()) {
    diagnosePort(port, ['spec', 'ports', i], note);
  }
  if (isObject(ports)) {
    note(
      ['spec', 'ports'],
      'ports is a single port; expected a list',
      'begin its first field with "- "',
    );
  }
  if (typeof type === 'string' && !TYPES.includes(type)) {
    const plain = type.toLowerCase().replaceAll(/[-_ ]/g, '');
    const meant = TYPES.find((one) => one.toLowerCase() === plain);
    const known = TYPES.toSorted()
      .map((one) => JSON.stringify(one))
      .join(', ');
    const message = `Unsupported value: ${JSON.stringify(type)}: supported values: ${known}`;
    if (meant !== undefined) note(['spec', 'type'], message, `type: ${meant}`);
  }
  if (typeof externalName === 'string' && type !== 'ExternalName' && ports === undefined) {
    const message = 'Forbidden: a name that a service stands for goes with type ExternalName';
    note(['spec', 'externalName'], message, 'type: ExternalName');
  }
}

function diagnosePort(port: unknown, path: (string | number)[], note: Note): void {
  if (!isObject(port)) return;
  if ('selector' in port) {
    const message = 'selector is inside a port: it belongs to the service';
    note([...path, 'selector'], message, 'move it out two levels: spec.selector');
  }
  if ('containerPort' in port) {
    const message = 'containerPort is a field of pods';
    note([...path, 'containerPort'], message, 'the port of a Service has port and targetPort');
  }
}
