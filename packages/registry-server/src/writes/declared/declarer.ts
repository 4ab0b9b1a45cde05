import { type ApplyReply, type ManifestObject, ProblemError } from '@rollcall/contract';
import { type Manifest, patched, type ReadManifest, type Service } from '@rollcall/manifests';
import type { Clock, Random } from '@rollcall/runtime';
import type { ObjectRef } from '../../picture/declared/object-key.ts';
import type { Picture } from '../../picture/picture.ts';
import { Breath } from '../../runtime/breath.ts';
import type { SecretSeal } from '../../access/secret-seal.ts';
import type { Committed } from '../committed.ts';
import type { AddressRules } from './drafts/address-rules.ts';
import type { ApplyMode } from './drafts/conflicts.ts';
import { IngressClasses } from './drafts/ingress-classes.ts';
import { faultsOf, NO_LOCATION, titleOf } from './drafts/draft-faults.ts';
import { decoded, type Draft, type DraftContext, draftOf, settle } from './drafts/draft.ts';
import { isPutBack } from './drafts/put-back.ts';
import { type DraftWriter, onlyObject } from './writing/draft-writer.ts';
import type { ManifestReader } from './manifest-reader.ts';
import {
  checkMeant,
  dedupe,
  notDeclared,
  patchFaults,
  refusal,
  refusedResult,
  derivedOnly,
  unopened,
} from './writing/refusals.ts';
import { openedSecret } from './drafts/secrets.ts';

/** The version that a patch is for, if it says so. */
function versionIn(patch: unknown): unknown {
  const { metadata } = Object(patch) as { readonly metadata?: unknown };
  return (Object(metadata) as { readonly resourceVersion?: unknown }).resourceVersion;
}

export interface DeclarerParts {
  readonly writer: DraftWriter;
  readonly picture: Picture;
  readonly rules: AddressRules;
  readonly random: Random;
  readonly clock: Clock;
  readonly reader: ManifestReader;
  /** Encrypts Secrets; undefined: they are refused. */
  readonly seal: SecretSeal | undefined;
  readonly derived: DraftContext['derived'];
}

/** How one object is written. */
export interface WriteOptions {
  readonly dryRun: boolean;
  /** Who writes; empty = unnamed. */
  readonly fieldManager: string;
}

export interface ApplyRequest extends WriteOptions {
  readonly text: string;
  readonly namespace: string;
  readonly mode: ApplyMode;
  readonly partial: boolean;
}

/** The rules of declaring objects: everything is checked first, and then written at once. */
export class Declarer {
  readonly #writer: DraftWriter;
  readonly #picture: Picture;
  readonly #rules: AddressRules;
  readonly #random: Random;
  readonly #clock: Clock;
  readonly #reader: ManifestReader;
  readonly #seal: SecretSeal | undefined;
  readonly #derived: DraftContext['derived'];

  constructor(parts: DeclarerParts) {
    const { writer, picture, rules, random, clock, reader, seal, derived } = parts;
    this.#writer = writer;
    this.#picture = picture;
    this.#rules = rules;
    this.#random = random;
    this.#clock = clock;
    this.#reader = reader;
    this.#seal = seal;
    this.#derived = derived;
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
    const writer = this.#writer;
    return writer.retried(async () => {
      const drafts = await this.#draftsOf(file.manifests, this.#context(request));
      const faults = drafts.flatMap((draft) => draft.faults);
      if (faults.length > 0) throw refusal(faults);
      const written = await writer.write(drafts, request.dryRun);
      return written && writer.replied(drafts, written, request.dryRun);
    });
  }

  /** Creates or replaces one object under its own name. */
  async put(
    ref: ObjectRef,
    text: string,
    options: WriteOptions,
  ): Promise<Committed<ManifestObject>> {
    const { manifests } = await this.#reader.parse(text);
    checkMeant(ref, manifests);
    const { namespace } = ref;
    return onlyObject(
      await this.apply({ text, namespace, mode: 'put', partial: false, ...options }),
    );
  }

  /** Changes fields of an object by a JSON merge patch. */
  async patch(
    ref: ObjectRef,
    patch: unknown,
    options: WriteOptions,
  ): Promise<Committed<ManifestObject>> {
    return this.#writer.retried(async () => {
      const before = this.#writer.find(ref);
      const own = this.#derived(ref);
      if (own !== undefined && isPutBack(own, { before, version: versionIn(patch) }))
        throw derivedOnly(ref);
      if (before === undefined) throw notDeclared(ref, this.#picture);
      const target = this.#patchable(ref, before.manifest);
      const { manifest, errors } = decoded(patched(target, patch), target);
      const faults = [...errors, ...patchFaults(manifest, { ref, before })];
      if (faults.length > 0) throw refusal(faultsOf(titleOf(ref), NO_LOCATION, faults));
      const draft = settle(
        { ref, before, wanted: manifest, isExamined: false, locate: NO_LOCATION },
        this.#context(options),
      );
      if (draft.faults.length > 0) throw refusal(draft.faults);
      return this.#writer.one(draft, options.dryRun);
    });
  }

  /** The object with all that a patch may change. */
  #patchable(ref: ObjectRef, stored: Manifest): Manifest {
    if (ref.kind !== 'Secret') return stored;
    const opened = openedSecret(stored, { ref, seal: this.#seal });
    if (opened === undefined) throw unopened(ref);
    return opened;
  }

  /** Declares a service unless it exists; false = it cannot be declared. */
  async ensure(service: Service): Promise<boolean> {
    const { name = '', namespace = 'default' } = service.metadata;
    const ref = { kind: 'Service', namespace, name } as const;
    if (this.#writer.find(ref) !== undefined) return true;
    const draft = settle(
      { ref, before: undefined, wanted: service, isExamined: false, locate: NO_LOCATION },
      this.#context({}),
    );
    if (draft.manifest === undefined) return false;
    const { kind } = await this.#writer.put([draft], false);
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

  #context({
    namespace = 'default',
    mode = 'replace',
    fieldManager = '',
  }: Partial<Pick<ApplyRequest, 'namespace' | 'mode' | 'fieldManager'>>): DraftContext {
    return {
      namespace,
      mode,
      rules: this.#rules,
      classes: IngressClasses.of(this.#picture),
      seal: this.#seal,
      random: this.#random,
      writing: { manager: fieldManager, nowMs: this.#clock.wallMs() },
      find: (ref) => this.#writer.find(ref),
      derived: this.#derived,
    };
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
        const reply = await this.#writer.retried(async () => {
          if (draft.faults.length > 0) throw refusal(draft.faults);
          const written = await this.#writer.write([draft], dryRun);
          if (written !== undefined) return this.#writer.replied([draft], written, dryRun);
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
}
