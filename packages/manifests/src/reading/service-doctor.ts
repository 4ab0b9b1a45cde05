import type { ManifestFault } from './fault.ts';

/** Where in the text a path stands. */
export type Locate = (path: readonly (string | number)[]) => { line: number; column: number };

const TYPES = ['ClusterIP', 'NodePort', 'LoadBalancer', 'ExternalName'];

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The mistakes that tutorials of Services teach, found in what was written, before the schema speaks of unknown fields. */
export function diagnoseService(value: unknown, locate: Locate): ManifestFault[] {
  if (!isObject(value) || value['kind'] !== 'Service') return [];
  const faults: ManifestFault[] = [];
  const note = (path: (string | number)[], field: string, message: string, fix: string) =>
    faults.push({ ...locate(path), field, message, fix });
  for (const name of ['selector', 'ports', 'type', 'clusterIP'] as const) {
    if (!(name in value)) continue;
    const message = `${name} stands at the top level, where it means nothing`;
    note([name], name, message, `indent it under spec: spec.${name}`);
  }
  const spec = value['spec'];
  if (!isObject(spec)) return faults;
  const ports = Array.isArray(spec['ports']) ? spec['ports'] : [];
  for (const [i, port] of ports.entries()) {
    if (!isObject(port) || !('selector' in port)) continue;
    const field = `spec.ports[${i}].selector`;
    const message = 'selector stands inside a port: it belongs to the service';
    note(['spec', 'ports', i, 'selector'], field, message, 'move it out two levels: spec.selector');
  }
  if (isObject(spec['ports'])) {
    const message = 'ports is one port, and a list is expected';
    note(['spec', 'ports'], 'spec.ports', message, 'begin its first field with "- "');
  }
  const { type } = spec;
  if (typeof type === 'string' && !TYPES.includes(type)) {
    const meant = TYPES.find(
      (one) => one.toLowerCase() === type.toLowerCase().replaceAll(/[-_ ]/g, ''),
    );
    if (meant !== undefined) {
      const message = `type ${JSON.stringify(type)} is spelled with other capitals`;
      note(['spec', 'type'], 'spec.type', message, `type: ${meant}`);
    }
  }
  return faults;
}
