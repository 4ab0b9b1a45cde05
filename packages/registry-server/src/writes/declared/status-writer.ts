import { type ManifestObject, ProblemError } from '@rollcall/contract';
import { type FieldError, KINDS, type Manifest, patched, resourceOf } from '@rollcall/manifests';
import type { Clock } from '@rollcall/runtime';
import type { Declared } from '../../picture/declared/declarations.ts';
import { nameKeyOf, type ObjectRef } from '../../picture/declared/object-key.ts';
import { type ShownStatus, withoutReported } from '../../picture/declared/reported-status.ts';
import type { Picture } from '../../picture/picture.ts';
import type { Committed } from '../committed.ts';
import { draftOfChange } from './drafts/changed-meta.ts';
import type { WriteOptions } from './declarer.ts';
import { faultsOf, NO_LOCATION, titleOf } from './drafts/draft-faults.ts';
import { decoded, type Draft } from './drafts/draft.ts';
import type { DraftWriter } from './writing/draft-writer.ts';
import type { ManifestReader } from './manifest-reader.ts';
import { checkMeant, notDeclared, patchFaults, refusal } from './writing/refusals.ts';
import { isSameObject, withHistory } from './drafts/stored-meta.ts';

export interface StatusWriterParts {
  readonly writer: DraftWriter;
  readonly picture: Picture;
  readonly reader: ManifestReader;
  readonly clock: Clock;
}

/** What a client wants an object to be, of which only the status counts. */
interface Wanted {
  readonly manifest: Manifest;
  readonly errors: readonly FieldError[];
}

/** Writes the status of declared objects, and nothing else of them. */
export class StatusWriter {
  readonly #parts: StatusWriterParts;

  constructor(parts: StatusWriterParts) {
    this.#parts = parts;
  }

  /** Replaces the status by that of the whole object in the text. */
  async put(
    ref: ObjectRef,
    text: string,
    options: WriteOptions,
  ): Promise<Committed<ManifestObject>> {
    const { manifests, faults } = await this.#parts.reader.parse(text);
    if (faults.length > 0) throw refusal(faults.map((fault) => ({ object: '', ...fault })));
    checkMeant(ref, manifests);
    const [read] = manifests;
    const given = read?.given;
    if (given === undefined) {
      const found = (read?.faults ?? []).map((fault) => ({ object: titleOf(ref), ...fault }));
      if (found.length > 0) throw refusal(found);
      throw new ProblemError('invalid_manifest', 'expected an object, got none');
    }
    const metadata = { ...given.metadata, namespace: ref.namespace };
    return this.#write(ref, options, () => {
      return { manifest: { ...given, metadata }, errors: [] };
    });
  }

  /** Changes fields of the status by a JSON merge patch of the whole object. */
  patch(ref: ObjectRef, patch: unknown, options: WriteOptions): Promise<Committed<ManifestObject>> {
    return this.#write(ref, options, ({ manifest }) => decoded(patched(manifest, patch), manifest));
  }

  #write(
    ref: ObjectRef,
    { dryRun, fieldManager }: WriteOptions,
    wantedOf: (before: Declared) => Wanted,
  ): Promise<Committed<ManifestObject>> {
    const { writer, picture, clock } = this.#parts;
    checkHasStatus(ref);
    return writer.retried(async () => {
      const before = writer.find(ref);
      if (before === undefined) throw notDeclared(ref, picture);
      const { manifest, errors } = wantedOf(before);
      const faults = [...errors, ...patchFaults(manifest, { ref, before })];
      const next = faults.length > 0 ? before.manifest : this.#withStatus(before, manifest);
      faults.push(...(KINDS[ref.kind].status?.validate(next as never) ?? []));
      if (faults.length > 0) throw refusal(faultsOf(titleOf(ref), NO_LOCATION, faults));
      const writing = {
        manager: fieldManager,
        nowMs: clock.wallMs(),
        subresource: 'status',
      } as const;
      return writer.one(draftOfStatus(before, next, writing), dryRun);
    });
  }

  #withStatus({ manifest, ...at }: Declared, wanted: Manifest): Manifest {
    const { kind } = manifest;
    const declarations = this.#parts.picture.roll?.declarations;
    const reports =
      kind === 'Service' || kind === 'Ingress'
        ? (declarations?.reports(kind, nameKeyOf(at)) ?? [])
        : [];
    const { status = {} } = wanted as { readonly status?: ShownStatus };
    const own = withoutReported(status, manifest, reports);
    const { status: _, ...rest } = manifest as Manifest & { readonly status?: unknown };
    // Without a status there is no field for it, as in an object of which none was ever written.
    if (Object.keys(own).length === 0) return rest;
    const next = { ...rest, status: own } as Manifest;
    return KINDS[kind].status?.defaults(next as never) ?? next;
  }
}

function draftOfStatus(
  before: Declared,
  next: Manifest,
  writing: Parameters<typeof withHistory>[2],
): Draft {
  if (isSameObject(next, before.manifest))
    return { ...draftOfChange(before, before.manifest), action: 'unchanged' };
  return draftOfChange(before, withHistory(next, before.manifest, writing));
}

/** Throws `object_not_found` for a kind without a status that clients write. */
export function checkHasStatus({ kind }: Pick<ObjectRef, 'kind'>): void {
  if (KINDS[kind].status !== undefined) return;
  const why =
    kind === 'Deployment'
      ? 'their status is counted from the instances that their selectors match'
      : 'they have no status';
  const message = `${resourceOf(kind)}/status: the server could not find the requested resource: ${why}`;
  throw new ProblemError('object_not_found', message, { field: 'kind' });
}
