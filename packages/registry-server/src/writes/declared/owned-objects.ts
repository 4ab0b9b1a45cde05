import { ProblemError } from '@rollcall/contract';
import { FOREGROUND, type Kind, KINDS, ORPHAN, type OwnerReference } from '@rollcall/manifests';
import type { Clock } from '@rollcall/runtime';
import type { Declarations, Declared } from '../../picture/declared/declarations.ts';
import { keyOfObject, nameKeyOf, objectRefOf } from '../../picture/declared/object-key.ts';
import type { Picture } from '../../picture/picture.ts';
import { StoreUnavailableError } from '../../store/store.ts';
import {
  draftOfChange,
  refOfDeclared,
  withoutFinalizer,
  withOwners,
} from './drafts/changed-meta.ts';
import type { Deleter } from './deleter.ts';
import type { DraftWriter } from './writing/draft-writer.ts';

/**
 * How long an owner must be missing before its objects go, unless this server saw it being removed; ms. A store that
 * lost its data gets it back in parts.
 */
const MISSING_MS = 15_000;

/** Longest chain of owners that one pass follows; the next pass follows the rest. */
const MAX_ROUNDS = 50;

/** Another server deleted or changed the object first: the next pass looks at it anew. */
const OTHERS_FIRST: ReadonlySet<string> = new Set(['object_changed', 'object_not_found']);

/** `solid`: keeps its objects. `leaving`: goes once they have gone. `gone`: they go too. */
type OwnerState = 'solid' | 'leaving' | 'gone';

export interface OwnedObjectsParts {
  readonly picture: Picture;
  readonly writer: DraftWriter;
  readonly deleter: Deleter;
  readonly clock: Clock;
}

/**
 * Deletes the objects whose owners are gone, as the garbage collector of Kubernetes does, and finishes deletions that
 * wait for owned objects. Any number of servers may do so.
 */
export class OwnedObjects {
  readonly #parts: OwnedObjectsParts;
  /** Uid of an owner that is missing -> since when, in monotonic ms. */
  #missing = new Map<string, number>();

  constructor(parts: OwnedObjectsParts) {
    this.#parts = parts;
  }

  /**
   * One pass. Rejects with the error of the store, and at the end with the first error about a single object.
   * @param most - how many changes are enough; the next pass makes the others
   */
  async collect(most = Infinity): Promise<void> {
    const faults: unknown[] = [];
    let changes = 0;
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const { roll } = this.#parts.picture;
      if (roll === undefined) return;
      const linked = [...roll.declarations.linked()];
      const seen = new Map<string, number>();
      const before = changes;
      const weighings = linked.map((one) => () => this.#weigh(one, seen));
      const advances = linked.map((one) => () => this.#advance(one));
      for (const step of [...weighings, ...advances]) {
        if (await attempt(step, faults)) changes++;
        if (changes >= most) return;
      }
      this.#missing = seen;
      if (changes === before) break;
    }
    if (faults.length > 0) throw faults[0];
  }

  /** Looks at the owners of an object; true when it changed. */
  async #weigh(declared: Declared, seen: Map<string, number>): Promise<boolean> {
    const { ownerReferences = [], deletionTimestamp } = declared.manifest.metadata;
    if (ownerReferences.length === 0 || deletionTimestamp !== undefined) return false;
    const states = ownerReferences.map((owner) => this.#stateOf(owner, declared, seen));
    if (!states.includes('solid')) return this.#delete(declared);
    const kept = ownerReferences.filter((_, i) => states[i] === 'solid');
    if (kept.length === ownerReferences.length) return false;
    return this.#write(declared, withOwners(declared.manifest, kept));
  }

  /** Deletes an object as it was looked at: somebody may have given it another owner meanwhile. */
  async #delete(declared: Declared): Promise<boolean> {
    const { manifest, revision } = declared;
    const { uid } = manifest.metadata;
    const seen = { uid, resourceVersion: String(revision) };
    await this.#parts.deleter.delete(refOfDeclared(declared), { dryRun: false, ...seen });
    return true;
  }

  #stateOf(owner: OwnerReference, owned: Declared, seen: Map<string, number>): OwnerState {
    const { name = '', uid = '' } = owner;
    const kind = kindOfOwner(owner);
    // What this registry does not keep, it cannot miss.
    if (kind === undefined) return 'solid';
    // An object in no namespace does not say in which one its owner is, so nobody can tell whether that is gone.
    if (KINDS[kind].isNamespaced && owned.namespace === '') return 'solid';
    const { picture, clock } = this.#parts;
    const ref = objectRefOf({ kind, namespace: owned.namespace, name });
    const known = this.#declarations?.get(kind, nameKeyOf(ref));
    if (known?.manifest.metadata.uid === uid) {
      const { deletionTimestamp, finalizers = [] } = known.manifest.metadata;
      const isLeaving = deletionTimestamp !== undefined && finalizers.includes(FOREGROUND);
      return isLeaving ? 'leaving' : 'solid';
    }
    if (picture.unreadable.has(keyOfObject(ref))) return 'solid';
    // What was written later may be a part of a backup: its owner may follow.
    const leftAt = this.#declarations?.leftAt(uid) ?? 0;
    if (owned.revision < leftAt) return 'gone';
    const nowMs = clock.monotonicMs();
    const sinceMs = this.#missing.get(uid) ?? nowMs;
    seen.set(uid, sinceMs);
    return nowMs - sinceMs >= MISSING_MS ? 'gone' : 'solid';
  }

  /** Takes a deletion further that waits for this server; true when it changed. */
  async #advance(stale: Declared): Promise<boolean> {
    const declared = this.#parts.writer.find(refOfDeclared(stale));
    if (declared === undefined) return false;
    const { manifest } = declared;
    const { deletionTimestamp, finalizers = [], uid } = manifest.metadata;
    if (deletionTimestamp === undefined) return false;
    if (finalizers.length === 0) return this.#write(declared, manifest);
    const owned = this.#ownedBy(uid);
    if (finalizers.includes(ORPHAN)) {
      for (const one of owned) {
        const others = (one.manifest.metadata.ownerReferences ?? []).filter(
          (owner) => owner.uid !== uid,
        );
        if (!(await this.#write(one, withOwners(one.manifest, others)))) return false;
      }
      return this.#write(declared, withoutFinalizer(manifest, ORPHAN));
    }
    if (!finalizers.includes(FOREGROUND)) return false;
    const isBlocked = owned.some((one) => blocks(one, declared) && !this.#waitsFor(one, declared));
    if (isBlocked) return false;
    return this.#write(declared, withoutFinalizer(manifest, FOREGROUND));
  }

  /**
   * Whether an object that is being deleted waits itself for the other, directly or over others: of a circle of owners,
   * nobody would ever be first.
   */
  #waitsFor(one: Declared, other: Declared): boolean {
    const seen = new Set<Declared>();
    const next = [one];
    for (let at = next.pop(); at !== undefined; at = next.pop()) {
      if (at.manifest.metadata.uid === other.manifest.metadata.uid) return true;
      const { uid, deletionTimestamp, finalizers = [] } = at.manifest.metadata;
      const isWaiting = deletionTimestamp !== undefined && finalizers.includes(FOREGROUND);
      if (!isWaiting || seen.has(at)) continue;
      seen.add(at);
      const owner = at;
      next.push(...this.#ownedBy(uid).filter((owned) => blocks(owned, owner)));
    }
    return false;
  }

  #ownedBy(uid: string | undefined): readonly Declared[] {
    return this.#declarations?.ownedBy(uid ?? '') ?? [];
  }

  async #write(before: Declared, manifest: Declared['manifest']): Promise<boolean> {
    return (await this.#parts.writer.one(draftOfChange(before, manifest), false)) !== undefined;
  }

  get #declarations(): Declarations | undefined {
    return this.#parts.picture.roll?.declarations;
  }
}

/** One object that cannot be written does not keep the pass from the others. */
async function attempt(step: () => Promise<boolean>, faults: unknown[]): Promise<boolean> {
  try {
    return await step();
  } catch (error) {
    if (error instanceof StoreUnavailableError) throw error;
    const isOthers = error instanceof ProblemError && OTHERS_FIRST.has(error.code);
    if (!isOthers) faults.push(error);
    return false;
  }
}

/**
 * Whether an object keeps its owner from going before it. It does not with a reference that names something else by the
 * owner's uid: it would never go itself.
 */
function blocks({ manifest, namespace }: Declared, owner: Declared): boolean {
  const { kind, metadata } = owner.manifest;
  return (manifest.metadata.ownerReferences ?? []).some((one) => {
    if (one.uid !== metadata.uid || one.blockOwnerDeletion !== true) return false;
    const isIn = owner.namespace === '' || owner.namespace === namespace;
    return isIn && kindOfOwner(one) === kind && one.name === owner.name;
  });
}

/** The kind that an owner has, if the registry keeps objects of it. */
function kindOfOwner({ apiVersion = '', kind = '' }: OwnerReference): Kind | undefined {
  if (!Object.hasOwn(KINDS, kind)) return undefined;
  const own = kind as Kind;
  return groupOf(KINDS[own].apiVersion) === groupOf(apiVersion) ? own : undefined;
}

/** Owners are named with any version of their group. */
function groupOf(apiVersion: string): string {
  const slash = apiVersion.indexOf('/');
  return slash === -1 ? '' : apiVersion.slice(0, slash);
}
