import { type ApplyReply, type ManifestObject, ProblemError } from '@rollcall/contract';
import { KINDS, patched, type ReadManifest, type Service } from '@rollcall/manifests';
import type { Clock, Random } from '@rollcall/runtime';
import type { Declared } from '../../picture/declared/declarations.ts';
import { keyOfObject, nameKeyOf, type ObjectRef } from '../../picture/declared/object-key.ts';
import { shownObject } from '../../picture/declared/shown-object.ts';
import type { Picture } from '../../picture/picture.ts';
import { Breath } from '../../runtime/breath.ts';
import type { PutOutcome, Store } from '../../store/store.ts';
import type { SecretSeal } from '../../access/secret-seal.ts';
import { committed, type Committed } from '../committed.ts';
import type { AddressRules } from './address-rules.ts';
import { dropEndpoints, dropReports } from './dependents.ts';
import type { ApplyMode } from './conflicts.ts';
import { IngressClasses } from './ingress-classes.ts';
import { faultsOf, NO_LOCATION, titleOf } from './draft-faults.ts';
import { decoded, type Draft, type DraftContext, draftOf, settle } from './draft.ts';
import type { ManifestReader } from './manifest-reader.ts';
import {
  checkMeant,
  claimRefusal,
  dedupe,
  notDeclared,
  patchFaults,
  refusal,
  refusedResult,
  wholeOnly,
} from './refusals.ts';
import { itemOf, objectOf, resultOf } from './stored-draft.ts';

/**
 * How often a write is retried after another writer came first, and how long to wait for that writer's change, in ms.
 */
const TRIES = 5;
const NEWS_WAIT_MS = 500;

export interface DeclarerParts {
  readonly store: Store;
  readonly picture: Picture;
  readonly rules: AddressRules;
  readonly random: Random;
  readonly clock: Clock;
  readonly reader: ManifestReader;
  /** Encrypts Secrets; undefined: they are refused. */
  readonly seal: SecretSeal | undefined;
}

export interface ApplyRequest {
  readonly text: string;
  readonly namespace: string;
  readonly mode: ApplyMode;
  readonly dryRun: boolean;
  readonly partial: boolean;
}

/** The outcome of drafts in the store. */
interface Written {
  readonly objects: readonly (ManifestObject | null)[];
  readonly revision: number;
}

/** The rules of declaring objects: everything is checked first, and then written at once. */
export class Declarer {
  readonly #store: Store;
  readonly #picture: Picture;
  readonly #rules: AddressRules;
  readonly #random: Random;
  readonly #clock: Clock;
  readonly #reader: ManifestReader;
  readonly #seal: SecretSeal | undefined;

  constructor({ store, picture, rules, random, clock, reader, seal }: DeclarerParts) {
    this.#store = store;
    this.#picture = picture;
    this.#rules = rules;
    this.#random = random;
    this.#clock = clock;
    this.#reader = reader;
    this.#seal = seal;
  }

  /** Declares every document of a text, or none; with `partial`, every document without faults. */
  async apply(request: ApplyRequest): Promise<Committed<ApplyReply>> {
    const file = await this.#reader.parse(request.text);
    if (file.faults.length > 0) {
      throw refusal(file.faults.map((fault) => ({ object: '', ...fault })));
    }
    if (file.manifests.length === 0) {
      throw new ProblemError('invalid_manifest', 'expected at least one object, got none');
    }
    if (request.partial) return this.#applyEach(file.manifests, request);
    return this.#retried(async () => {
      const context = this.#context(request);
      const drafts = await this.#draftsOf(file.manifests, context);
      const faults = drafts.flatMap((draft) => draft.faults);
      if (faults.length > 0) throw refusal(faults);
      const written = await this.#write(drafts, request.dryRun);
      return written && this.#replied(drafts, written, request.dryRun);
    });
  }

  /** Creates or replaces one object under its own name. */
  async put(ref: ObjectRef, text: string, dryRun: boolean): Promise<Committed<ManifestObject>> {
    const { manifests } = await this.#reader.parse(text);
    checkMeant(ref, manifests);
    const request = {
      text,
      namespace: ref.namespace,
      mode: 'put',
      dryRun,
      partial: false,
    } as const;
    return this.#one(await this.apply(request));
  }

  /** Changes fields of an object by a JSON merge patch. */
  async patch(ref: ObjectRef, patch: unknown, dryRun: boolean): Promise<Committed<ManifestObject>> {
    if (ref.kind === 'Secret') throw wholeOnly(ref);
    return this.#retried(async () => {
      const before = this.#find(ref);
      if (before === undefined) throw notDeclared(ref, this.#picture);
      const { manifest, errors } = decoded(patched(before.manifest, patch), before.manifest);
      const faults = [...errors, ...patchFaults(manifest, { ref, before })];
      if (faults.length > 0) throw refusal(faultsOf(titleOf(ref), NO_LOCATION, faults));
      const draft = settle(
        { ref, before, wanted: manifest, isExamined: false, locate: NO_LOCATION },
        this.#context(),
      );
      if (draft.faults.length > 0) throw refusal(draft.faults);
      const written = await this.#write([draft], dryRun);
      return written && this.#one(await this.#replied([draft], written, dryRun));
    });
  }

  async delete(
    ref: ObjectRef,
    dryRun: boolean,
  ): Promise<Committed<{ readonly revision: string; readonly object: ManifestObject }>> {
    const key = keyOfObject(ref);
    const before = this.#find(ref);
    if (before === undefined && !this.#picture.unreadable.has(key))
      throw notDeclared(ref, this.#picture);
    const { kind, namespace, name } = ref;
    const object =
      before === undefined
        ? { apiVersion: KINDS[kind].apiVersion, kind, metadata: { namespace, name } }
        : shownObject(before.manifest, before.revision);
    if (dryRun) {
      return { value: { revision: String(this.#picture.revision), object }, isApplied: true };
    }
    await dropEndpoints(this.#store, this.#picture, ref);
    const outcome = await this.#store.remove({ key, floor: this.#picture.revision });
    if (outcome.kind !== 'changed') throw notDeclared(ref, this.#picture);
    await dropReports(this.#store, this.#picture, ref);
    const value = { revision: String(outcome.revision), object };
    return committed(this.#picture, value, outcome.revision);
  }

  /** Declares a service unless it exists; false = it cannot be declared. */
  async ensure(service: Service): Promise<boolean> {
    const { name = '', namespace = 'default' } = service.metadata;
    const ref = { kind: 'Service', namespace, name } as const;
    if (this.#find(ref) !== undefined) return true;
    const draft = settle(
      { ref, before: undefined, wanted: service, isExamined: false, locate: NO_LOCATION },
      this.#context(),
    );
    if (draft.manifest === undefined) return false;
    const { kind } = await this.#store.put(this.#putOf([draft], false));
    return kind === 'put' || kind === 'changed';
  }

  /** Lets the event loop run in between: a file may declare a thousand objects. */
  async #draftsOf(manifests: readonly ReadManifest[], context: DraftContext): Promise<Draft[]> {
    const breath = new Breath(this.#clock);
    const drafts: Draft[] = [];
    for (const read of manifests) {
      const draft = draftOf(read, context);
      context.classes.note(draft.manifest);
      drafts.push(draft);
      await breath.pauseIfLong();
    }
    return dedupe(drafts);
  }

  #context(given?: { readonly namespace: string; readonly mode: ApplyMode }) {
    return {
      namespace: given?.namespace ?? 'default',
      mode: given?.mode ?? ('replace' as const),
      rules: this.#rules,
      classes: IngressClasses.of(this.#picture),
      seal: this.#seal,
      random: this.#random,
      nowMs: this.#clock.wallMs(),
      find: (ref: ObjectRef) => this.#find(ref),
    };
  }

  #find({ kind, namespace, name }: ObjectRef): Declared | undefined {
    return this.#picture.roll?.declarations.get(kind, nameKeyOf({ namespace, name }));
  }

  /** Retries when another writer came first, once this server has seen that writer's change. */
  async #retried<T>(attempt: () => Promise<T | undefined>): Promise<T> {
    for (let tries = 0; tries < TRIES; tries++) {
      const { revision } = this.#picture;
      const done = await attempt();
      if (done !== undefined) return done;
      await this.#picture.reached(revision + 1, NEWS_WAIT_MS);
    }
    throw new ProblemError('object_changed', 'another writer changed the object again and again');
  }

  /** Applies documents one by one, so a conflict fails only its own document. */
  async #applyEach(
    manifests: readonly ReadManifest[],
    request: ApplyRequest,
  ): Promise<Committed<ApplyReply>> {
    const { dryRun } = request;
    const draftOfEach = (read: ReadManifest) => draftOf(read, this.#context(request));
    const drafts = await this.#draftsOf(manifests, this.#context(request));
    const replies: ApplyReply['results'] = [];
    let isApplied = true;
    let revision = this.#picture.revision;
    for (const [i, first] of drafts.entries()) {
      let draft = first;
      try {
        const reply = await this.#retried(async () => {
          if (draft.faults.length > 0) throw refusal(draft.faults);
          const written = await this.#write([draft], dryRun);
          if (written !== undefined) return this.#replied([draft], written, dryRun);
          draft = draftOfEach(manifests[i] as ReadManifest);
          return undefined;
        });
        isApplied &&= reply.isApplied;
        revision = Math.max(revision, Number(reply.value.revision));
        replies.push(...reply.value.results);
      } catch (error) {
        if (!(error instanceof ProblemError) || error.retryable) throw error;
        replies.push(refusedResult(draft, error));
      }
    }
    return { value: { revision: String(revision), dryRun, results: replies }, isApplied };
  }

  #putOf(drafts: readonly Draft[], dryRun: boolean) {
    const { unreadable } = this.#picture;
    const items = drafts.map((draft) => itemOf(draft, unreadable.has(keyOfObject(draft.ref))));
    return { items, pools: this.#rules.pools, dryRun, floor: this.#picture.revision };
  }

  /** Writes the drafts that differ. Undefined = another writer came first. Throws when a number is not available. */
  async #write(drafts: readonly Draft[], dryRun: boolean): Promise<Written | undefined> {
    const due = drafts.filter(({ action }) => action !== 'unchanged');
    const outcome: PutOutcome =
      due.length === 0
        ? { kind: 'put', resources: [] }
        : await this.#store.put(this.#putOf(due, dryRun));
    if (outcome.kind === 'changed') return undefined;
    if (outcome.kind !== 'put') throw claimRefusal(due[outcome.index] as Draft, outcome);
    const byKey = new Map(outcome.resources.map((resource) => [resource.key, resource]));
    const objects = drafts.map((draft) =>
      objectOf(draft, byKey.get(keyOfObject(draft.ref)), dryRun),
    );
    // A dry run has no revision to wait for.
    const last = dryRun ? undefined : outcome.resources.at(-1);
    const revision = last?.revision ?? this.#picture.revision;
    return { objects, revision };
  }

  async #replied(
    drafts: readonly Draft[],
    { objects, revision }: Written,
    dryRun: boolean,
  ): Promise<Committed<ApplyReply>> {
    const results = drafts.map((draft, i) => resultOf(draft, objects[i] ?? null));
    const value = { revision: String(revision), dryRun, results };
    return dryRun ? { value, isApplied: true } : committed(this.#picture, value, revision);
  }

  #one({ value, isApplied }: Committed<ApplyReply>): Committed<ManifestObject> {
    return { value: value.results[0]?.object as ManifestObject, isApplied };
  }
}
