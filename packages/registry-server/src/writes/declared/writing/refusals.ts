import { type ApplyResult, type Fault, ProblemError } from '@rollcall/contract';
import {
  type FieldError,
  type Manifest,
  type ReadManifest,
  resourceOf,
  type Service,
} from '@rollcall/manifests';
import type { PutOutcome } from '../../../store/store.ts';
import { claimSlotsOf } from '../../../picture/declared/claim-slots.ts';
import type { Declared } from '../../../picture/declared/declarations.ts';
import type { Picture } from '../../../picture/picture.ts';
import type { Draft } from '../drafts/draft.ts';
import { derivedMessage } from '../drafts/put-back.ts';
import { titleOf } from '../drafts/draft-faults.ts';
import { ipv4OfNumber } from '../../../picture/declared/ipv4.ts';
import { keyOfObject, type ObjectRef } from '../../../picture/declared/object-key.ts';
import {
  isConflictMessage,
  isStale,
  otherObjectMessage,
  staleMessage,
} from '../drafts/conflicts.ts';

function faultOf({ ref, locate }: Draft, field: string, message: string): Fault {
  return { object: titleOf(ref), ...locate(field), field, message, fix: '' };
}

/** Refuses a second document of the same object in what is applied at once: one file, or a folder. */
export function dedupe(drafts: readonly Draft[]): Draft[] {
  const seen = new Set<string>();
  return drafts.map((draft) => {
    const key = keyOfObject(draft.ref);
    if (draft.faults.length > 0 || !seen.has(key)) {
      seen.add(key);
      return draft;
    }
    const fault = faultOf(draft, 'metadata.name', 'declared twice in what is applied');
    return { ...draft, action: 'refused', faults: [{ ...fault, fix: 'leave one of the two out' }] };
  });
}

/** Faults of a patch that changes the identity of the object, or names a version other than the current one. */
export function patchFaults(
  { metadata }: Manifest,
  { ref, before }: { readonly ref: ObjectRef; readonly before: Declared },
): FieldError[] {
  const immutable = (field: 'name' | 'namespace', value = ''): FieldError => {
    const message = `Invalid value: ${JSON.stringify(value)}: field is immutable`;
    return { reason: 'FieldValueInvalid', field: `metadata.${field}`, message };
  };
  const faults: FieldError[] = [];
  if (metadata.name !== ref.name) faults.push(immutable('name', metadata.name));
  if (metadata.namespace !== ref.namespace) faults.push(immutable('namespace', metadata.namespace));
  const other = otherObjectMessage(metadata.uid, { ref, before });
  if (other !== undefined)
    faults.push({ reason: 'FieldValueInvalid', field: 'metadata.uid', message: other });
  if (isStale(metadata.resourceVersion, before)) {
    const field = 'metadata.resourceVersion';
    faults.push({ reason: 'FieldValueInvalid', field, message: staleMessage(ref) });
  }
  return faults;
}

/** The result of a refused document, when others of the same request were not refused. */
export function refusedResult(draft: Draft, error: ProblemError): ApplyResult {
  const { kind, namespace, name } = draft.ref;
  const faults = [...(error.faults ?? [faultOf(draft, error.field, error.message)])];
  const nothing = { object: null, before: null, warnings: [] };
  return { kind, namespace, name, action: 'refused', faults, ...nothing };
}

export function notFound({ kind, name }: Pick<ObjectRef, 'kind' | 'name'>): ProblemError {
  const message = `${resourceOf(kind)} "${name}" not found`;
  return new ProblemError('object_not_found', message, { field: 'name' });
}

/** The same for a write. An implicit service can be read, so its absence needs an explanation. */
export function notDeclared(ref: ObjectRef, picture: Picture): ProblemError {
  const refused = notFound(ref);
  const isImplicit =
    ref.kind === 'Service' && picture.instancesOf(ref.namespace, ref.name).size > 0;
  if (!isImplicit) return refused;
  const why = 'it is not declared, it exists because instances registered under its name';
  return new ProblemError('object_not_found', `${refused.message}: ${why}`, { field: 'name' });
}

/** What the registry makes itself, it makes again as it was: a change would be lost without a word. */
export function derivedOnly(ref: Pick<ObjectRef, 'kind' | 'name'>): ProblemError {
  return new ProblemError('invalid_manifest', derivedMessage(ref));
}

/** Of a Secret that cannot be read, no part can be changed. */
export function unopened(ref: Pick<ObjectRef, 'kind' | 'name'>): ProblemError {
  const message = `${titleOf(ref)}: Forbidden: it was encrypted with a key that this server does not have: apply all of it`;
  return new ProblemError('invalid_manifest', message);
}

/** A refusal with all faults; its message is that of kubectl. */
export function refusal(faults: readonly Fault[]): ProblemError {
  const [first] = faults;
  const lines = faults.map(({ object, field, message }) => {
    const what = field === '' ? message : `${field}: ${message}`;
    return object === '' ? what : `${object}: ${what}`;
  });
  const areAll = (end: string) => faults.every(({ message }) => message.endsWith(end));
  const isConflict = areAll('already exists') ? 'object_exists' : undefined;
  const areConflicts = faults.every(({ message }) => isConflictMessage(message));
  const code = isConflict ?? (areConflicts ? 'object_changed' : 'invalid_manifest');
  return new ProblemError(code, lines.join('; '), { field: first?.field ?? '', faults });
}

/** Why a number is not available. */
export function claimRefusal(
  draft: Draft,
  outcome: Extract<PutOutcome, { kind: 'taken' | 'exhausted' }>,
): ProblemError {
  const { ref, manifest } = draft;
  const slot = claimSlotsOf(manifest as Service)[outcome.claim];
  const field = slot?.field ?? '';
  if (outcome.kind === 'exhausted') {
    const what = slot?.pool === 'clusterIps' ? 'an IP' : 'a node port';
    const message = `${field}: failed to allocate ${what} for ${titleOf(ref)}: range is full`;
    return new ProblemError('range_exhausted', message, { field });
  }
  const number = slot?.number ?? 0;
  const isAddress = slot?.pool === 'clusterIps';
  const shown = isAddress ? JSON.stringify([ipv4OfNumber(number)]) : String(number);
  const [kind, namespace, name] = outcome.owner.split('/');
  const detail = isAddress
    ? `failed to allocate IP ${ipv4OfNumber(number)}: provided IP is already allocated`
    : 'provided port is already allocated';
  const message = `Invalid value: ${shown}: ${detail}`;
  const fix = `${kind} ${namespace}/${name} has it: choose another, or leave it out to have one given`;
  return refusal([{ ...faultOf(draft, field, message), fix }]);
}

/** Throws a ProblemError unless the documents are just the object that a path names. */
export function checkMeant(ref: ObjectRef, manifests: readonly ReadManifest[]): void {
  const [only, ...more] = manifests;
  if (only === undefined) return;
  const { manifest } = only;
  const isMeant = manifest === undefined || isAt(ref, manifest);
  if (isMeant && more.length === 0) return;
  const message = `expected one ${titleOf(ref)} of namespace ${ref.namespace}, as the path says`;
  throw new ProblemError('invalid_manifest', message, { field: 'metadata.name' });
}

function isAt({ kind, namespace, name }: ObjectRef, { kind: own, metadata }: Manifest): boolean {
  if (own !== kind || metadata.name !== name) return false;
  return namespace === '' || (metadata.namespace || namespace) === namespace;
}
