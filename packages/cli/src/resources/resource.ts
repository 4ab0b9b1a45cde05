import type { ManifestObject } from '@rollcall/client-sdk';
import { CliError } from '../base/cli-error.ts';
import type { Context } from '../session/context.ts';

export interface Column {
  readonly title: string;
  /** Shown only with `-o wide`. */
  readonly isWide?: boolean;
  /** `isWide` = with `-o wide`, where nothing is cut. */
  readonly cell: (object: ManifestObject, nowMs: number, isWide?: boolean) => string;
}

/** A type of object that can be listed. */
export interface Resource {
  readonly kind: string;
  readonly apiVersion: string;
  /** All its names: plural, singular, short ones. */
  readonly names: readonly string[];
  /** False for objects without a namespace. @default true */
  readonly isNamespaced?: boolean;
  /** True for objects that are derived from others and cannot be written. @default false */
  readonly isDerived?: boolean;
  /** Printed before the name by `-o name` and messages: `service`, `deployment.apps`. */
  readonly prefix: string;
  readonly columns: readonly Column[];
  list(
    context: Context,
    namespace: string,
    selector: string | undefined,
  ): Promise<ManifestObject[]>;
  /** Rejects with `object_not_found`. */
  get(context: Context, namespace: string, name: string): Promise<ManifestObject>;
}

/** Throws a {@link CliError} for a derived type. */
export function checkWritable({ names, isDerived = false }: Resource): void {
  if (!isDerived) return;
  throw new CliError(`error: ${names[0]} are derived from other objects and cannot be changed`);
}

/** Whether somebody declared it: implicit services disappear with their instances, derived objects with their service. */
export function isDeclared({ kind, metadata }: ManifestObject): boolean {
  const isDerived = ['Endpoints', 'EndpointSlice'].includes(kind) && metadata.uid === undefined;
  return !isDerived && metadata.annotations?.['rollcall.dev/implicit'] === undefined;
}

/** A part of an object; its kind determines the type. */
export function partOf(
  object: ManifestObject,
  name: 'spec' | 'status' | 'endpoints' | 'ports' | 'subsets',
): unknown {
  return object[name];
}

export const NONE = '<none>';

/** Strings joined by commas; `<none>` when there are none. */
export function joined(texts: readonly string[]): string {
  return texts.length === 0 ? NONE : texts.join(',');
}

/** The first few, and the number of others, as kubectl shows addresses. */
export function firstFew(texts: readonly string[], most = 3): string {
  if (texts.length <= most) return joined(texts);
  return `${texts.slice(0, most).join(',')} + ${texts.length - most} more...`;
}

const byKey = ([a]: readonly [string, string], [b]: readonly [string, string]) => (a < b ? -1 : 1);

/** Labels or annotations in the order of their keys, as kubectl shows them. */
export function sortedPairs(
  pairs: Readonly<Record<string, string>> | undefined,
): (readonly [key: string, value: string])[] {
  return Object.entries(pairs ?? {}).toSorted(byKey);
}

/** `k=v,k2=v2`, in the order of the keys. */
export function pairsText(pairs: Readonly<Record<string, string>> | undefined): string {
  return joined(sortedPairs(pairs).map(([key, value]) => `${key}=${value}`));
}
