import type { ApplyResult, Fault, ManifestObject } from '@rollcall/contract';
import {
  appliedManifest,
  carryOver,
  decodeManifest,
  examine,
  type FieldError,
  generatedName,
  KINDS,
  type Manifest,
  type ReadManifest,
  validateAnnotations,
} from '@rollcall/manifests';
import type { Random } from '@rollcall/runtime';
import type { SecretSeal } from '../../../access/secret-seal.ts';
import type { AddressRules } from './address-rules.ts';
import type { Declared } from '../../../picture/declared/declarations.ts';
import { faultsOf, faultsOfBoth, type LocateField, titleOf } from './draft-faults.ts';
import type { IngressClasses } from './ingress-classes.ts';
import { kindFaults, settled } from './kind-rules.ts';
import { objectRefOf, type ObjectRef } from '../../../picture/declared/object-key.ts';
import { derivedMessage, isPutBack } from './put-back.ts';
import { keptSecret, sealedManifest } from './secrets.ts';
import { type ApplyMode, conflictOf } from './conflicts.ts';
import { isSameObject, LAST_APPLIED, withHistory, withMeta, type Writing } from './stored-meta.ts';
import { warningsOf } from './warnings.ts';

/** How often a name is generated that nothing has yet. */
const NAME_DRAWS = 8;

/** What one document will become. Written only when `faults` is empty. */
export interface Draft {
  readonly ref: ObjectRef;
  readonly action: ApplyResult['action'];
  readonly manifest: Manifest | undefined;
  readonly before: Declared | undefined;
  readonly faults: readonly Fault[];
  readonly warnings: readonly string[];
  readonly locate: LocateField;
  /** The object that the registry makes under this name, and that stays as it is. */
  readonly derived?: ManifestObject;
}

export interface DraftContext {
  readonly mode: ApplyMode;
  /** For documents that do not name a namespace. */
  readonly namespace: string;
  readonly rules: AddressRules;
  readonly classes: IngressClasses;
  /** Undefined: Secrets are refused. */
  readonly seal: SecretSeal | undefined;
  readonly random: Random;
  readonly writing: Writing;
  readonly find: (ref: ObjectRef) => Declared | undefined;
  /** An object that the registry makes itself, such as the Endpoints of a service with a selector. */
  readonly derived: (ref: ObjectRef) => ManifestObject | undefined;
}

/** Computes what a document will become. Changes nothing. */
export function draftOf(read: ReadManifest, context: DraftContext): Draft {
  const { manifest, given } = read;
  if (manifest === undefined || given === undefined) return refusedDraft(read, manifest);
  const { named, ref } = withName(manifest, context);
  const before = context.find(ref);
  if (context.mode !== 'create' && context.mode !== 'apply') {
    const own = context.derived(ref);
    const version = given.metadata.resourceVersion;
    if (own !== undefined && isPutBack(own, { before, version }))
      return derivedDraft(ref, own, read);
  }
  if (read.faults.length === 0) return draftOver({ given, named, ref, before, read }, context);
  if (context.mode === 'create') return refusedDraft(read, manifest);
  const kept = keptSecret(named, before?.manifest, { ref, seal: context.seal });
  if (kept !== undefined) return draftOver({ given, named: kept, ref, before, read }, context);
  if (before?.manifest.kind !== 'Service') return refusedDraft(read, manifest);
  // Fields left over from the former type may make the text invalid by itself, but not the result, which drops them.
  const draft = draftOver({ given, named, ref, before, read }, context);
  if (draft.faults.length === 0) return draft;
  return { ...draft, faults: faultsOfBoth(read, given, draft.faults) };
}

/** Computes what a decoded document makes of the existing object. */
function draftOver(
  {
    given,
    named,
    ref,
    before,
    read,
  }: {
    /** As it was written. */
    readonly given: Manifest;
    /** With its defaults and a name. */
    readonly named: Manifest;
    readonly ref: ObjectRef;
    readonly before: Declared | undefined;
    readonly read: ReadManifest;
  },
  context: DraftContext,
): Draft {
  const { locate } = read;
  const refuse = (faults: readonly Fault[]): Draft => {
    const nothing = { manifest: undefined, warnings: [] };
    return { ref, action: 'refused', ...nothing, before, faults, locate };
  };
  const conflict = conflictOf(given, { ref, before, mode: context.mode });
  if (conflict !== undefined) {
    const where = { object: titleOf(ref), ...locate(conflict.field), fix: '' };
    return refuse([{ ...where, ...conflict }]);
  }
  // A Secret is replaced as a whole: what it held before is not there to be merged.
  const isMerged = context.mode === 'apply' && named.kind !== 'Secret';
  const wanted = isMerged ? merged(given, named, before) : { manifest: named, errors: [] };
  if (wanted.errors.length > 0) return refuse(faultsOf(titleOf(ref), locate, wanted.errors));
  // The text was checked when it was read, but not the merge of two manifests.
  const isExamined = read.faults.length === 0 && (!isMerged || before === undefined);
  return settle({ ref, before, wanted: wanted.manifest, isExamined, locate }, context);
}

/** Computes what an object will become when its whole manifest is given, without a text. */
export function settle(
  {
    ref,
    before,
    wanted,
    isExamined,
    locate,
  }: {
    readonly ref: ObjectRef;
    readonly before: Declared | undefined;
    readonly wanted: Manifest;
    /** It has its defaults and is valid by itself. */
    readonly isExamined: boolean;
    readonly locate: LocateField;
  },
  {
    rules,
    random,
    writing,
    classes,
    seal,
  }: Pick<DraftContext, 'rules' | 'random' | 'writing' | 'classes' | 'seal'>,
): Draft {
  const admitted = before === undefined ? classes.admit(wanted) : wanted;
  const { manifest, faults } = settled(
    examined(admitted, before?.manifest, isExamined),
    before?.manifest,
  );
  const isValid = faults.length === 0;
  const keepsSecrets = seal !== undefined;
  const errors = [
    ...faults,
    ...kindFaults(manifest, before?.manifest, { rules, isValid, keepsSecrets }),
  ];
  if (errors.length > 0) {
    const found = faultsOf(titleOf(ref), locate, errors);
    const nothing = { manifest: undefined, warnings: [] };
    return { ref, action: 'refused', ...nothing, before, faults: found, locate };
  }
  const whole = withMeta(manifest, { ref, before, random, nowMs: writing.nowMs });
  const sealed = sealedManifest(whole, before?.manifest, { ref, seal });
  const isSame = before !== undefined && isSameObject(sealed, before.manifest);
  const action = before === undefined ? 'created' : isSame ? 'unchanged' : 'configured';
  const stored = isSame ? before.manifest : withHistory(sealed, before?.manifest, writing);
  const warnings = warningsOf(stored, { isNew: before === undefined, keepsSecrets });
  return { ref, action, manifest: stored, before, faults: [], warnings, locate };
}

/** The manifest with its defaults and with what it keeps of the object that it replaces, and its faults. */
function examined(wanted: Manifest, before: Manifest | undefined, isExamined: boolean) {
  if (wanted.kind === 'Service' && before?.kind === 'Service') {
    const complete = isExamined ? wanted : KINDS.Service.defaults(wanted);
    return examine<Manifest>(carryOver(before, complete));
  }
  return isExamined ? { manifest: wanted, faults: [] } : examine(wanted);
}

/** Who puts back what the registry made finds it as it was: it makes it again in any case. */
function derivedDraft(ref: ObjectRef, derived: ManifestObject, { locate }: ReadManifest): Draft {
  const nothing = { manifest: undefined, before: undefined, faults: [] };
  return { ref, action: 'unchanged', ...nothing, derived, warnings: [derivedMessage(ref)], locate };
}

function refusedDraft(read: ReadManifest, manifest: Manifest | undefined): Draft {
  const kind = manifest?.kind ?? (read.name.split(' ')[0] as ObjectRef['kind']);
  const name = manifest?.metadata.name ?? '';
  const faults = read.faults.map((fault) => ({ object: read.name, ...fault }));
  const ref = { kind, namespace: manifest?.metadata.namespace ?? '', name };
  const nothing = { manifest: undefined, before: undefined, warnings: [] };
  return { ref, action: 'refused', ...nothing, faults, locate: read.locate };
}

/** The manifest with a name, generated if the text has none. */
function withName(
  manifest: Manifest,
  { random, namespace, find }: DraftContext,
): { readonly named: Manifest; readonly ref: ObjectRef } {
  const { name = '', generateName = '' } = manifest.metadata;
  if (name !== '') return { named: manifest, ref: refOf(manifest, namespace) };
  for (let draw = 1; ; draw++) {
    const drawn = generatedName(generateName, random.below);
    const named = { ...manifest, metadata: { ...manifest.metadata, name: drawn } };
    const ref = refOf(named, namespace);
    if (draw === NAME_DRAWS || find(ref) === undefined) return { named, ref };
  }
}

function refOf({ kind, metadata }: Manifest, namespace: string): ObjectRef {
  const own = metadata.namespace || namespace;
  return objectRefOf({ kind, namespace: own, name: metadata.name ?? '' });
}

/**
 * Merges the text into the existing object. The merge is decoded again, because two valid manifests can make an invalid
 * one. `named` is the text with its defaults and a name; if there is no object yet, that is the result.
 */
function merged(
  given: Manifest,
  named: Manifest,
  before: Declared | undefined,
): { readonly manifest: Manifest; readonly errors: readonly FieldError[] } {
  const { annotations } = given.metadata;
  // An exported file contains the annotation of the previous apply: nested, it would grow with each round.
  const { [LAST_APPLIED]: _, ...others } = annotations ?? {};
  const said = annotations === undefined ? {} : { annotations: others };
  const annotation = JSON.stringify({ ...given, metadata: { ...given.metadata, ...said } });
  const whole = { ...others, [LAST_APPLIED]: annotation };
  if (before === undefined) {
    const metadata = { ...named.metadata, annotations: whole };
    return { manifest: { ...named, metadata }, errors: validateAnnotations(whole) };
  }
  const next = { ...given, metadata: { ...given.metadata, annotations: whole } };
  const last = lastAppliedOf(before.manifest);
  return decoded(appliedManifest(last, before.manifest, next), given);
}

/** Decodes a manifest that was built here. */
export function decoded(
  value: unknown,
  fallback: Manifest,
): { readonly manifest: Manifest; readonly errors: readonly FieldError[] } {
  const { manifest = fallback, faults } = decodeManifest(fallback.kind, value);
  const reason = 'FieldValueTypeInvalid';
  return { manifest, errors: faults.map(({ field, message }) => ({ reason, field, message })) };
}

function lastAppliedOf({ metadata }: Manifest): unknown {
  try {
    return JSON.parse(metadata.annotations?.[LAST_APPLIED] ?? 'null');
  } catch {
    return undefined;
  }
}
