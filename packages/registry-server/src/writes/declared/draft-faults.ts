import type { Fault } from '@rollcall/contract';
import { examine, type FieldError, type Manifest, type ReadManifest } from '@rollcall/manifests';
import type { ObjectRef } from '../../picture/declared/object-key.ts';

/** Where a field stands in the text that it came from. */
export type LocateField = ReadManifest['locate'];

/** For what came from no text. */
export const NOWHERE: LocateField = () => ({ line: 0, column: 0 });

/** `Service "nginx"`, as faults name an object. */
export function titleOf({ kind, name }: Pick<ObjectRef, 'kind' | 'name'>): string {
  return `${kind} ${JSON.stringify(name)}`;
}

/** Faults of fields as faults of a document. */
export function faultsOf(
  object: string,
  locate: LocateField,
  errors: readonly FieldError[],
): readonly Fault[] {
  return errors.map(({ field, message }) => {
    return { object, ...locate(field), field, message, fix: '' };
  });
}

/** What is wrong with a text, as far as it is wrong with what would come of it as well, and what else is. */
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
