import { applied, type ListKeys } from './merge.ts';
import type { Kind, Manifest } from './reading/kinds.ts';

/** Tells elements apart by one field, or by two. An absent protocol is TCP. */
const by =
  (...fields: readonly string[]) =>
  (element: unknown) => {
    const known = { protocol: 'TCP', ...(element as object) } as Record<string, unknown>;
    return JSON.stringify(fields.map((field) => known[field]));
  };

const COMMON: ListKeys = { 'metadata.finalizers': String, 'metadata.ownerReferences': by('uid') };
/** Lists that kubectl merges. */
const OF_KIND: Partial<Record<Kind, ListKeys>> = {
  Service: { 'spec.ports': by('port', 'protocol') },
  Deployment: {
    'spec.template.spec.containers': by('name'),
    'spec.template.spec.containers.ports': by('containerPort', 'protocol'),
  },
};

/** What becomes of an object when a manifest is applied to it. `last`: the manifest that was applied before, if any. */
export function appliedManifest(last: unknown, live: Manifest, next: Manifest): unknown {
  return applied(last, live, next, { ...COMMON, ...OF_KIND[next.kind] });
}
