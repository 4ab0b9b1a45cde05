import type { ManifestObject } from '@rollcall/client-sdk';
import { EXIT, usageError } from '../base/cli-error.ts';
import type { Context } from '../session/context.ts';
import { isTable, type PrintOptions, printed, rowsOf } from '../resources/printer.ts';
import { tableText, widen } from '../output/table.ts';
import type { Selection } from '../resources/catalog.ts';
import { find, type Wanted } from '../resources/finding.ts';

/** Polling interval for changes that the registry's watch does not report (manifests without endpoints), in ms. */
const LOOK_EVERY_MS = 2_000;

interface Watch {
  readonly wanted: Wanted;
  readonly options: PrintOptions;
  /** Whether only what changes later is shown. */
  readonly isLater: boolean;
}

/**
 * Shows objects, then each one that changes, until the user stops it. A removed object is
 * shown once more, in its last state.
 */
export async function watchResource(
  context: Context,
  selections: readonly Selection[],
  watch: Watch,
): Promise<number> {
  const [selection, ...others] = selections;
  if (selection === undefined || others.length > 0) {
    throw usageError('you may only specify a single resource type with --watch');
  }
  const shown = new Map<string, ManifestObject>();
  const widths: number[] = [];
  let isFirst = true;
  let isKnown = !watch.isLater;
  for await (const _ of turns(context, watch.wanted.namespace)) {
    const objects = await look(context, selection, watch);
    const changed = objects.filter((object) => textOf(shown.get(keyOf(object))) !== textOf(object));
    const known = new Set(objects.map(keyOf));
    const gone = [...shown].filter(([key]) => !known.has(key)).map(([, object]) => object);
    shown.clear();
    for (const object of objects) shown.set(keyOf(object), object);
    const due = isKnown ? [...changed, ...gone] : [];
    isKnown = true;
    if (due.length > 0) {
      const options = {
        ...watch.options,
        nowMs: context.clock.wallMs(),
        columns: context.out.columns,
        hasHeaders: watch.options.hasHeaders && isFirst,
      };
      // Separates the documents of one stream, so that a reader can tell them apart.
      const mark = options.format === 'yaml' && !isFirst ? '---\n' : '';
      context.out.pass(`${mark}${await textFor(due, selection, { options, widths })}`);
      isFirst = false;
    }
  }
  return EXIT.ok;
}

const keyOf = ({ metadata }: ManifestObject) => `${metadata.namespace}/${metadata.name}`;
const textOf = (object: ManifestObject | undefined) => JSON.stringify(object);

async function look(
  context: Context,
  { resource, names }: Selection,
  { wanted }: Watch,
): Promise<readonly ManifestObject[]> {
  const { objects } = await find(context, { resource, names: [] }, wanted);
  return names.length === 0
    ? objects
    : objects.filter(({ metadata }) => names.includes(metadata.name));
}

/** Columns keep the widths of the first rows, unless a later cell needs more. */
async function textFor(
  objects: readonly ManifestObject[],
  { resource }: Selection,
  { options, widths }: { readonly options: PrintOptions; readonly widths: number[] },
): Promise<string> {
  if (!isTable(options.format) || options.format?.startsWith('custom') === true) {
    return await printed(objects, resource, { ...options, isSingle: objects.length === 1 });
  }
  const rows = rowsOf(objects, resource, options);
  widen(widths, rows);
  return tableText(rows, widths);
}

/** Yields at once, after each change that the registry reports, and every two seconds. */
async function* turns({ live, clock, signal }: Context, namespace: string): AsyncGenerator<void> {
  const rollcall = await live();
  const catalog = rollcall.catalog({ namespace });
  let wake: () => void = () => {};
  let isDue = true;
  const note = () => {
    isDue = true;
    wake();
  };
  const endChanges = catalog.on('change', note);
  const looks = clock.every(LOOK_EVERY_MS, note);
  signal.addEventListener('abort', note);
  try {
    while (!signal.aborted) {
      if (isDue) {
        isDue = false;
        yield;
      } else {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
  } finally {
    endChanges();
    looks.cancel();
    signal.removeEventListener('abort', note);
    catalog.close();
  }
}
