import { type ApplyReply, type ManifestObject, ProblemError } from '@rollcall/contract';
import type { Declared } from '../../../picture/declared/declarations.ts';
import { keyOfObject, nameKeyOf, type ObjectRef } from '../../../picture/declared/object-key.ts';
import { shownStatus } from '../../../picture/declared/reported-status.ts';
import type { Picture } from '../../../picture/picture.ts';
import { type PutOutcome, type Store, StoreUnavailableError } from '../../../store/store.ts';
import { committed, type Committed } from '../../committed.ts';
import type { AddressRules } from '../drafts/address-rules.ts';
import type { Draft } from '../drafts/draft.ts';
import { claimRefusal } from './refusals.ts';
import { isEnded, removeObject } from './removal.ts';
import { itemOf, objectOf, resultOf } from './stored-draft.ts';

/**
 * How often a write is retried after another writer came first, and how long to wait for that writer's change, in ms.
 */
const TRIES = 5;
const NEWS_WAIT_MS = 500;

/** The outcome of drafts in the store. */
export interface Written {
  readonly objects: readonly (ManifestObject | null)[];
  readonly revision: number;
}

/** Writes drafts: all of them at once, or none. */
export class DraftWriter {
  readonly #store: Store;
  readonly #picture: Picture;
  readonly #rules: AddressRules;

  constructor(store: Store, picture: Picture, rules: AddressRules) {
    this.#store = store;
    this.#picture = picture;
    this.#rules = rules;
  }

  find({ kind, namespace, name }: ObjectRef): Declared | undefined {
    return this.#picture.roll?.declarations.get(kind, nameKeyOf({ namespace, name }));
  }

  /** Retries when another writer came first, once this server has seen that writer's change. */
  async retried<T>(attempt: () => Promise<T | undefined>): Promise<T> {
    for (let tries = 0; tries < TRIES; tries++) {
      const { revision } = this.#picture;
      const done = await attempt();
      if (done !== undefined) return done;
      await this.#picture.reached(revision + 1, NEWS_WAIT_MS);
    }
    throw new ProblemError('object_changed', 'another writer changed the object again and again');
  }

  /**
   * Writes the drafts that differ, and removes those objects that are being deleted and that nothing keeps any more.
   * Undefined = another writer came first. Throws when a number is not available.
   */
  async write(drafts: readonly Draft[], dryRun: boolean): Promise<Written | undefined> {
    const due = drafts.filter(({ action }) => action !== 'unchanged');
    const outcome = due.length === 0 ? NOTHING : await this.put(due, dryRun);
    if (outcome.kind === 'changed') return undefined;
    if (outcome.kind !== 'put') throw claimRefusal(due[outcome.index] as Draft, outcome);
    const byKey = new Map(outcome.resources.map((resource) => [resource.key, resource]));
    const objects = drafts.map((draft) => {
      const object = objectOf(draft, byKey.get(keyOfObject(draft.ref)), dryRun);
      return object && this.#withStatus(draft, object);
    });
    // A dry run has no revision to wait for.
    if (dryRun) return { objects, revision: this.#picture.revision };
    let revision = outcome.resources.at(-1)?.revision ?? this.#picture.revision;
    for (const { ref, manifest } of due) {
      if (manifest === undefined || !isEnded(manifest)) continue;
      const expected = byKey.get(keyOfObject(ref))?.revision;
      revision = Math.max(revision, await this.#removeEnded({ ref, expected }));
    }
    return { objects, revision };
  }

  /**
   * Removes an object that nothing keeps any more; returns the revision, or 0. What was written counts: if the store goes
   * away now, the next pass over objects that are being deleted removes it.
   */
  async #removeEnded(what: {
    readonly ref: ObjectRef;
    readonly expected: number | undefined;
  }): Promise<number> {
    try {
      const removed = await removeObject(this.#store, this.#picture, what);
      return removed.kind === 'changed' ? removed.revision : 0;
    } catch (error) {
      if (error instanceof StoreUnavailableError) return 0;
      throw error;
    }
  }

  put(drafts: readonly Draft[], dryRun: boolean): Promise<PutOutcome> {
    const { unreadable, revision: floor } = this.#picture;
    const items = drafts.map((draft) => itemOf(draft, unreadable.has(keyOfObject(draft.ref))));
    return this.#store.put({ items, pools: this.#rules.pools, dryRun, floor });
  }

  /** With the status that a reader would see. */
  #withStatus({ ref, manifest }: Draft, object: ManifestObject): ManifestObject {
    const { kind } = ref;
    if (manifest === undefined || (kind !== 'Service' && kind !== 'Ingress')) return object;
    const reports = this.#picture.roll?.declarations.reports(kind, nameKeyOf(ref)) ?? [];
    return { ...object, status: shownStatus(manifest, reports) };
  }

  async replied(
    drafts: readonly Draft[],
    { objects, revision }: Written,
    dryRun: boolean,
  ): Promise<Committed<ApplyReply>> {
    const results = drafts.map((draft, i) => resultOf(draft, objects[i] ?? null));
    const value = { revision: String(revision), dryRun, results };
    return dryRun ? { value, isApplied: true } : committed(this.#picture, value, revision);
  }

  /** Writes one draft, unless another writer came first: then undefined. */
  async one(draft: Draft, dryRun: boolean): Promise<Committed<ManifestObject> | undefined> {
    const written = await this.write([draft], dryRun);
    return written && onlyObject(await this.replied([draft], written, dryRun));
  }
}

const NOTHING: PutOutcome = { kind: 'put', resources: [] };

/** The object of a reply about one. */
export function onlyObject({ value, isApplied }: Committed<ApplyReply>): Committed<ManifestObject> {
  return { value: value.results[0]?.object as ManifestObject, isApplied };
}
