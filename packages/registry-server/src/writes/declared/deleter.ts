import { type ManifestObject, ProblemError, type PropagationPolicy } from '@rollcall/contract';
import { FOREGROUND, KINDS, ORPHAN, type ObjectMeta } from '@rollcall/manifests';
import type { Clock } from '@rollcall/runtime';
import type { Declared } from '../../picture/declared/declarations.ts';
import { keyOfObject, type ObjectRef } from '../../picture/declared/object-key.ts';
import { shownObject } from '../../picture/declared/shown-object.ts';
import type { Picture } from '../../picture/picture.ts';
import type { Store } from '../../store/store.ts';
import { committed, type Committed } from '../committed.ts';
import { draftOfChange, withDeletion } from './drafts/changed-meta.ts';
import { isStale, otherObjectMessage, staleMessage } from './drafts/conflicts.ts';
import { titleOf } from './drafts/draft-faults.ts';
import { hasEndpoints } from './writing/dependents.ts';
import type { DraftWriter } from './writing/draft-writer.ts';
import { notDeclared } from './writing/refusals.ts';
import { removeObject } from './writing/removal.ts';

export interface DeleteRequest {
  readonly dryRun: boolean;
  /** What happens to the objects that it owns. @default what its finalizers say, else they go after it */
  readonly propagationPolicy?: PropagationPolicy | undefined;
  /** The uid that it must have. @default any */
  readonly uid?: string | undefined;
  /** The version that it must have. @default any */
  readonly resourceVersion?: string | undefined;
}

/** The reply to a deletion: the object as it was, or, if finalizers keep it, as it waits for them. */
export type DeletedObject = Committed<{
  readonly revision: string;
  readonly object: ManifestObject;
}>;

export interface DeleterParts {
  readonly store: Store;
  readonly picture: Picture;
  readonly writer: DraftWriter;
  readonly clock: Clock;
}

/** Deletes declared objects, or marks them as long as finalizers keep them. */
export class Deleter {
  readonly #parts: DeleterParts;

  constructor(parts: DeleterParts) {
    this.#parts = parts;
  }

  /** Throws `object_not_found`, or `object_changed` when it is not the object or version that the caller means. */
  async delete(ref: ObjectRef, request: DeleteRequest): Promise<DeletedObject> {
    const { writer } = this.#parts;
    return writer.retried(async () => {
      const before = writer.find(ref);
      if (before === undefined) return this.#deleteUnread(ref, request);
      checkPreconditions({ ref, before }, request);
      const finalizers = finalizersOf(before.manifest.metadata, request.propagationPolicy);
      return finalizers.length > 0
        ? this.#mark(before, finalizers, request.dryRun)
        : this.#remove({ ref, before }, request.dryRun);
    });
  }

  /** An object whose stored value cannot be read can be deleted all the same. */
  async #deleteUnread(ref: ObjectRef, request: DeleteRequest): Promise<DeletedObject> {
    const { store, picture } = this.#parts;
    const { kind, namespace, name } = ref;
    if (!picture.unreadable.has(keyOfObject(ref))) throw notDeclared(ref, picture);
    checkNamesNone(ref, request);
    const { apiVersion } = KINDS[kind];
    const object = { apiVersion, kind, metadata: { namespace, name } };
    if (request.dryRun) return dryReply(picture, object);
    const outcome = await removeObject(store, picture, { ref, expected: undefined });
    if (outcome.kind !== 'changed') throw notDeclared(ref, picture);
    const value = { revision: String(outcome.revision), object };
    return committed(picture, value, outcome.revision);
  }

  /** Undefined when another writer came first. */
  async #remove(
    { ref, before }: { readonly ref: ObjectRef; readonly before: Declared },
    dryRun: boolean,
  ): Promise<DeletedObject | undefined> {
    const { store, picture } = this.#parts;
    const object = shownObject(before.manifest, before.revision);
    if (dryRun) return dryReply(picture, object);
    if (hasEndpoints(picture, ref)) return this.#removeMarked(before);
    const outcome = await removeObject(store, picture, { ref, expected: before.revision });
    if (outcome.kind === 'missing') throw notDeclared(ref, picture);
    if (outcome.kind === 'other') return undefined;
    const value = { revision: String(outcome.revision), object };
    return committed(picture, value, outcome.revision);
  }

  /**
   * Removes a service with what was written as its endpoints. The mark is written first: whoever changes the service
   * before that keeps both, and another server finishes what this one does not come to.
   */
  async #removeMarked(before: Declared): Promise<DeletedObject | undefined> {
    const { picture, writer, clock } = this.#parts;
    const marked = withDeletion(before.manifest, [], clock.wallMs());
    const written = await writer.write([draftOfChange(before, marked)], false);
    if (written === undefined) return undefined;
    const { revision } = written;
    const object = shownObject(before.manifest, before.revision);
    return committed(picture, { revision: String(revision), object }, revision);
  }

  async #mark(
    before: Declared,
    finalizers: readonly string[],
    dryRun: boolean,
  ): Promise<DeletedObject | undefined> {
    const { picture, writer, clock } = this.#parts;
    const marked = withDeletion(before.manifest, finalizers, clock.wallMs());
    const isSame = JSON.stringify(marked.metadata) === JSON.stringify(before.manifest.metadata);
    const revision = String(before.revision);
    if (isSame) {
      const object = shownObject(before.manifest, before.revision);
      return { value: { revision, object }, isApplied: true };
    }
    const done = await writer.one(draftOfChange(before, marked), dryRun);
    if (done === undefined) return undefined;
    const { value: object, isApplied } = done;
    return {
      value: { revision: object.metadata.resourceVersion ?? String(picture.revision), object },
      isApplied,
    };
  }
}

/** What keeps the object after this deletion. */
function finalizersOf(
  { finalizers = [] }: ObjectMeta,
  policy: PropagationPolicy | undefined,
): readonly string[] {
  if (policy === undefined) return finalizers;
  const others = finalizers.filter((one) => one !== ORPHAN && one !== FOREGROUND);
  if (policy === 'Background') return others;
  return [...others, policy === 'Orphan' ? ORPHAN : FOREGROUND];
}

function checkPreconditions(
  known: { readonly ref: ObjectRef; readonly before: Declared },
  { uid, resourceVersion }: DeleteRequest,
): void {
  const other = otherObjectMessage(uid, known);
  if (other !== undefined) throw new ProblemError('object_changed', other, { field: 'uid' });
  if (!isStale(resourceVersion, known.before)) return;
  const field = 'resourceVersion';
  throw new ProblemError('object_changed', staleMessage(known.ref), { field });
}

/** Of an object that cannot be read, nobody knows which one it is. */
function checkNamesNone(ref: ObjectRef, { uid = '', resourceVersion = '' }: DeleteRequest): void {
  const field = uid === '' ? 'resourceVersion' : 'uid';
  if (uid === '' && resourceVersion === '') return;
  const why =
    'its stored value cannot be read, so it cannot be compared: delete it by its name only';
  const message = `${field}: Invalid value: ${JSON.stringify(uid || resourceVersion)}: ${titleOf(ref)}: ${why}`;
  throw new ProblemError('object_changed', message, { field });
}

function dryReply(picture: Picture, object: ManifestObject): DeletedObject {
  return { value: { revision: String(picture.revision), object }, isApplied: true };
}
