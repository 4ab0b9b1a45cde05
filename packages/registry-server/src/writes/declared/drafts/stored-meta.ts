import { isDeepStrictEqual } from 'node:util';
import { KINDS, type Manifest } from '@rollcall/manifests';
import type { Random } from '@rollcall/runtime';
import type { Declared } from '../../../picture/declared/declarations.ts';
import type { ObjectRef } from '../../../picture/declared/object-key.ts';
import type { SealedSecret } from '../../../picture/declared/sealed-secret.ts';

/** How many writers `managedFields` names; the one that has not written for longest gives way. */
const MAX_MANAGERS = 32;

/** The annotation in which `kubectl apply` keeps the last applied manifest. Same name here, so that both tools work. */
export const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/** Who writes, and when. */
export interface Writing {
  /** Empty: nobody that wants to be named. */
  readonly manager: string;
  /** Unix ms. */
  readonly nowMs: number;
  /** The part that is written, unless it is the whole. */
  readonly subresource?: 'status';
}

/** A time as objects have it: whole seconds. */
export function timeOf(unixMs: number): string {
  return `${new Date(unixMs).toISOString().slice(0, 19)}Z`;
}

/**
 * The manifest with the metadata that only the server sets and with the status that it had. The rest of the metadata
 * comes from the author.
 */
export function withMeta(
  manifest: Manifest,
  {
    ref,
    before,
    random,
    nowMs,
  }: {
    readonly ref: ObjectRef;
    readonly before: Declared | undefined;
    readonly random: Random;
    readonly nowMs: number;
  },
): Manifest {
  const { generateName, labels, finalizers, ownerReferences } = manifest.metadata;
  const known = before?.manifest.metadata;
  const metadata = {
    name: ref.name,
    namespace: ref.namespace,
    uid: known?.uid ?? uuidOf(random.hex(16)),
    creationTimestamp: known?.creationTimestamp ?? timeOf(nowMs),
    ...given({
      generateName: known === undefined ? generateName : known.generateName,
      generation: known?.generation,
      deletionTimestamp: known?.deletionTimestamp,
      deletionGracePeriodSeconds: known?.deletionGracePeriodSeconds,
      finalizers: finalizers?.length === 0 ? undefined : finalizers,
      ownerReferences: ownerReferences?.length === 0 ? undefined : ownerReferences,
      managedFields: known?.managedFields,
      labels,
      annotations: annotationsOf(manifest),
    }),
  };
  const { status: _, ...rest } = manifest as Manifest & { readonly status?: unknown };
  return {
    ...rest,
    metadata,
    ...given({ status: statusOf(manifest, before?.manifest) }),
  } as Manifest;
}

/** The status stays, except the addresses of a load balancer that the service no longer has. */
function statusOf(manifest: Manifest, before: Manifest | undefined): unknown {
  const { status } = (before ?? {}) as { readonly status?: object };
  if (status === undefined || manifest.kind !== 'Service') return status;
  if (manifest.spec?.type === 'LoadBalancer') return status;
  const { loadBalancer: _, ...rest } = status as { readonly loadBalancer?: unknown };
  return Object.keys(rest).length === 0 ? undefined : rest;
}

/** Without the annotation in which other tools copy a Secret: there it is in plain text. */
function annotationsOf({ kind, metadata: { annotations } }: Manifest) {
  if (kind !== 'Secret' || annotations === undefined) return annotations;
  const { [LAST_APPLIED]: _, ...others } = annotations;
  return others;
}

/** Whether both are the same apart from when and by whom they were written. */
export function isSameObject(stored: Manifest, before: Manifest): boolean {
  return isDeepStrictEqual(plain(stored), plain(before));
}

/** The manifest of a changed object: its changes are counted, and who made this one is named. */
export function withHistory(
  stored: Manifest,
  before: Manifest | undefined,
  writing: Writing,
): Manifest {
  const generation = generationOf(stored, before);
  const managedFields = managersOf(stored, writing);
  const metadata = {
    ...stored.metadata,
    ...given({ generation, managedFields: managedFields.length === 0 ? undefined : managedFields }),
  };
  return { ...stored, metadata };
}

/** Counts the changes of what the author wants; those of the status and of most metadata do not count. */
function generationOf(stored: Manifest, before: Manifest | undefined): number | undefined {
  if (!KINDS[stored.kind].countsChanges) return undefined;
  if (before === undefined) return 1;
  const known = before.metadata.generation ?? 1;
  return isDeepStrictEqual(contentOf(stored), contentOf(before)) ? known : known + 1;
}

function managersOf({ apiVersion, metadata }: Manifest, writing: Writing) {
  const { manager, nowMs, subresource } = writing;
  const known = metadata.managedFields ?? [];
  if (manager === '') return known;
  const entry = {
    manager,
    operation: 'Update',
    apiVersion,
    time: timeOf(nowMs),
    ...(subresource === undefined ? {} : { subresource }),
  };
  const others = known.filter(
    (one) => one['manager'] !== manager || one['subresource'] !== subresource,
  );
  return [...others, entry].slice(-MAX_MANAGERS);
}

function contentOf(manifest: Manifest): unknown {
  const { metadata: _, status: _status, ...content } = plain(manifest);
  const { countsChanges: part } = KINDS[manifest.kind];
  return typeof part === 'string' ? { content, part: manifest.metadata[part] ?? {} } : content;
}

/** Without undefined fields, so that equal manifests compare equal, and without the names of writers. */
function plain(manifest: Manifest | SealedSecret): Record<string, unknown> {
  const { managedFields: _, ...metadata } = manifest.metadata;
  return JSON.parse(JSON.stringify({ ...manifest, metadata })) as Record<string, unknown>;
}

/** Without the fields that are undefined. */
function given<T extends object>(fields: T): Partial<T> {
  const said = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(said) as Partial<T>;
}

/** Random hex digits in the form of a UUID, version 4. */
function uuidOf(hex: string): string {
  const variant = ((Number.parseInt(hex[16] ?? '0', 16) & 0x3) | 0x8).toString(16);
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `4${hex.slice(13, 16)}`,
    `${variant}${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join('-');
}
