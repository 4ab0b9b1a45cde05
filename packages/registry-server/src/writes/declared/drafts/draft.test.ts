import { KINDS, type Manifest, readManifests } from '@rollcall/manifests';
import { systemRandom } from '@rollcall/runtime';
import { afterEach, expect, test, vi } from 'vitest';
import { AddressRules } from './address-rules.ts';
import type { ApplyMode } from './conflicts.ts';
import { draftOf } from './draft.ts';
import { IngressClasses } from './ingress-classes.ts';

afterEach(() => vi.restoreAllMocks());

const rules = new AddressRules({ serviceCidr: '127.96.0.0/16', allowExternalIp: [] });

function draft(text: string, mode: ApplyMode, before?: Manifest) {
  const [read] = readManifests(text).manifests;
  const declared = before && { namespace: 'default', name: 'web', revision: 1, manifest: before };
  const classes = new IngressClasses([]);
  const parts = { rules, classes, seal: undefined, random: systemRandom };
  const context = { mode, namespace: 'default', writing: { manager: '', nowMs: 0 }, ...parts };
  return draftOf(read!, { ...context, find: () => declared, derived: () => undefined });
}

const web = (spec = 'ports: [{ port: 80 }]') =>
  `{ apiVersion: v1, kind: Service, metadata: { name: web }, spec: { ${spec} } }`;

test.each(['create', 'apply', 'put'] as const)(
  '%s: a new object gets its defaults and is looked at once, when it is read',
  (mode) => {
    const defaults = vi.spyOn(KINDS.Service, 'defaults');
    const validate = vi.spyOn(KINDS.Service, 'validate');
    const { action, manifest } = draft(web(), mode);
    expect(action).toBe('created');
    expect(manifest).toMatchObject({ spec: { type: 'ClusterIP', ports: [{ targetPort: 80 }] } });
    expect([defaults.mock.calls.length, validate.mock.calls.length]).toEqual([1, 1]);
  },
);

test('what comes of a merge is looked at for itself, once', () => {
  const { manifest } = draft(web(), 'apply');
  const validate = vi.spyOn(KINDS.Service, 'validate');
  const next = draft(web('ports: [{ port: 81 }]'), 'apply', manifest);
  expect(next.action).toBe('configured');
  // The text, for what is wrong with it where it stands, and what comes of it.
  expect(validate).toHaveBeenCalledTimes(2);
});

test('annotations that only the note of what was applied makes too long are refused', () => {
  const annotated = (length: number) =>
    web().replace('name: web', `name: web, annotations: { a: ${'x'.repeat(length)} }`);
  expect(draft(annotated(200_000), 'create').action).toBe('created');
  expect(draft(annotated(100_000), 'apply').action).toBe('created');
  expect(draft(annotated(200_000), 'apply').faults).toMatchObject([
    { field: 'metadata.annotations', message: expect.stringContaining('Too long') as string },
  ]);
});

test('a replacement for a deleted object does not replace its namesake', () => {
  const { manifest } = draft(web(), 'create');
  const own = manifest!.metadata.uid!;
  const written = (uid: string) => web().replace('name: web', `name: web, uid: ${uid}`);
  expect(draft(written(own), 'replace', manifest).action).toBe('unchanged');
  expect(draft(written('other'), 'replace', manifest).faults).toMatchObject([
    {
      field: 'metadata.uid',
      message: `Operation cannot be fulfilled on services "web": Precondition failed: UID in precondition: other, UID in object meta: ${own}`,
    },
  ]);
  expect(draft(written('other'), 'apply', manifest).faults).toEqual([]);
});
