import type { Fault } from '@rollcall/contract';
import { examine, type FieldError, type Manifest, type ReadManifest } from '@rollcall/manifests';
import type { ObjectRef } from '../../../picture/declared/object-key.ts';

/** Finds a field in the source text. */
export type LocateField = ReadManifest['locate'];

/** For objects without a source text. */
export const NO_LOCATION: LocateField = () => ({ line: 0, column: 0 });

/** `Service "nginx"`, as faults name an object. */
export function titleOf({ kind, name }: Pick<ObjectRef, 'kind' | 'name'>): string {
  return `${kind} ${JSON.stringify(name)}`;
}

/** Converts field errors into faults of a document. */
export function faultsOf(
  object: string,
  locate: LocateField,
  errors: readonly FieldError[],
): readonly Fault[] {
  return errors.map(({ field, message }) => {
    return { object, ...locate(field), field, message, fix: '' };
  });
}

/** The faults of a text, without those that its result no longer has, and then the other faults of the result. */
export function faultsOfBoth(
  read: ReadManifest,
  given: Manifest,
  others: readonly Fault[],
): readonly Fault[] {
  const rules = new Set(examine(given).faults.map(({ field }) => field));
  const left = new Set(others.map(({ field }) => field));
  const own = read.faults.filter(({ field }) => !rules.has(field) || left.has(field));
  const isTold = (fault: Fault) =>
    own.some(({ field, line }) => field === fault.field || (field === '' && line === fault.line));
  const object = read.name;
  return [
    ...own.map((fault) => ({ object, ...fault })),
    ...others.filter((fault) => !isTold(fault)),
  ];
}
