import { CliError, usageError } from '../base/cli-error.ts';
import { type Arguments, flagOption, listOption, textOption } from '../session/command.ts';
import type { Context } from '../session/context.ts';
import { type ManifestText, readManifestFiles } from '../session/manifest-files.ts';
import { faultsText } from '../session/refusal.ts';
import { resourceOf, type Selection, selectionsOf } from './catalog.ts';
import type { Resource } from './resource.ts';

/** An object by its type, namespace and name. */
export interface NamedObject {
  readonly resource: Resource;
  readonly namespace: string;
  readonly name: string;
}

/** With all that stands there. */
interface WrittenObject extends NamedObject {
  readonly written: object;
}

/** The objects that the files of `-f` name. What else stands there does not matter. */
export async function namedInFiles(
  context: Context,
  files: readonly string[],
  isRecursive: boolean,
): Promise<NamedObject[]> {
  return namedIn(context, await readManifestFiles(context, files, isRecursive));
}

/** The objects that a text names. */
export async function namedIn(context: Context, source: ManifestText): Promise<WrittenObject[]> {
  // Loaded only where it is used: most commands read no manifest, and should not wait for it.
  const { readManifests } = await import('@rollcall/manifests');
  const { faults, manifests } = readManifests(source.text);
  if (faults.length > 0) {
    const found = faults.map((fault) => ({ object: '', ...fault }));
    throw new CliError(faultsText(found, { locate: source.locate }));
  }
  return manifests.map(({ manifest, given: written, name: title }) => {
    const { kind, metadata } = manifest ?? written ?? {};
    if (kind === undefined || metadata?.name === undefined) {
      throw new CliError(`error: ${title}: expected a kind and a name`);
    }
    const namespace = metadata.namespace ?? context.namespace;
    const resource = resourceOf(kind);
    return { resource, namespace, name: metadata.name, written: written ?? {} };
  });
}

/** Types with names on the command line, or the objects of the files of `-f`. */
export async function selectionsBy(
  context: Context,
  given: Arguments,
): Promise<readonly (Selection & { readonly namespace?: string })[]> {
  const files = listOption(given, 'filename');
  if (files.length === 0) return selectionsOf(given.words);
  if (given.words.length > 0 || textOption(given, 'selector') !== undefined) {
    throw usageError('expected either TYPE and NAME, a selector or -f');
  }
  const named = await namedInFiles(context, files, flagOption(given, 'recursive'));
  return named.map(({ resource, namespace, name }) => ({ resource, namespace, names: [name] }));
}
