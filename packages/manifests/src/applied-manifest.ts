import { applied } from './merge.ts';
import { mergedNodePorts } from './service/node-ports.ts';
import type { Manifest } from './reading/kinds.ts';

/** What becomes of an object when a manifest is applied to it. `last`: the manifest that was applied before, if any. */
export function appliedManifest(last: unknown, live: Manifest, next: Manifest): unknown {
  const isService = next.kind === 'Service' && live.kind === 'Service';
  if (!isService || next.spec?.ports === undefined) return applied(last, live, next);
  const ports = mergedNodePorts(last, live.spec ?? {}, next.spec.ports);
  return applied(last, live, { ...next, spec: { ...next.spec, ports } });
}
