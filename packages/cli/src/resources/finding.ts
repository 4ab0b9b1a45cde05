import type { ManifestObject } from '@rollcall/client-sdk';
import { usageError } from '../base/cli-error.ts';
import type { Context } from '../session/context.ts';
import { asCliError, isNotFound } from '../session/refusal.ts';
import type { Selection } from './catalog.ts';
import { fieldFilter } from './field-selector.ts';

/** Filters for objects, besides their names. */
export interface Wanted {
  /** `*` = all namespaces. */
  readonly namespace: string;
  readonly selector: string | undefined;
  /** `metadata.name=x,status.phase!=y`. */
  readonly fields?: string | undefined;
}

export interface Found {
  readonly selection: Selection;
  readonly objects: readonly ManifestObject[];
  /** One message for each name that was not found. */
  readonly missing: readonly string[];
}

/** Objects by name, or all matching objects of a type. A missing name does not throw; every other failure does. */
export async function find(context: Context, selection: Selection, wanted: Wanted): Promise<Found> {
  const { resource, names } = selection;
  if (names.length === 0) {
    const isWanted = fieldFilter(resource, wanted.fields, wanted.selector);
    const objects = await resource.list(context, wanted.namespace, wanted.selector);
    return { selection, objects: objects.filter(isWanted), missing: [] };
  }
  if (wanted.selector !== undefined || wanted.fields !== undefined) {
    throw usageError('name cannot be provided when a selector is specified');
  }
  const objects: ManifestObject[] = [];
  const missing: string[] = [];
  for (const name of names) {
    try {
      objects.push(await resource.get(context, context.namespace, name));
    } catch (error) {
      if (!isNotFound(error)) throw error;
      missing.push(asCliError(error, context.registryUrl).message);
    }
  }
  return { selection, objects, missing };
}

/** `No resources found in shop namespace.` */
export function nothingFound(
  context: Context,
  selections: readonly Selection[],
  everywhere: boolean,
) {
  const isPlain = everywhere || selections.every(({ resource }) => resource.isNamespaced === false);
  return `No resources found${isPlain ? '' : ` in ${context.namespace} namespace.`}`;
}
