import type { ManifestObject } from '@rollcall/client-sdk';
import { EXIT } from '../cli-error.ts';
import { type Arguments, type Command, flagOption, textOption } from '../command.ts';
import { type Context, say, warn } from '../context.ts';
import { isTable, type PrintOptions, printed, rowsOf } from '../output/printer.ts';
import { tableText } from '../output/table.ts';
import { asCliError } from '../refusal.ts';
import { type Selection, selectionsOf } from '../resources/catalog.ts';
import { watchResource } from './watch.ts';

/** Options that several commands share for choosing what they are about. */
export const SELECTING = {
  selector: {
    type: 'string',
    short: 'l',
    value: 'SELECTOR',
    help: 'Labels that are wanted: k=v, k!=v, k in (a,b), k, !k, ANDed by commas',
  },
  'all-namespaces': { type: 'boolean', short: 'A', help: 'Of every namespace' },
} as const;

export const OUTPUT = {
  type: 'string',
  short: 'o',
  value: 'FORMAT',
  help: 'wide, yaml, json, name, jsonpath=TEMPLATE or custom-columns=HEADER:.path,...',
} as const;

/** What was found of one selection. */
interface Found {
  readonly selection: Selection;
  readonly objects: readonly ManifestObject[];
}

async function find(
  context: Context,
  selection: Selection,
  given: { readonly namespace: string; readonly selector: string | undefined },
): Promise<{ readonly found: Found; readonly missing: readonly string[] }> {
  const { resource, names } = selection;
  if (names.length === 0) {
    const objects = await resource.list(context, given.namespace, given.selector);
    return { found: { selection, objects }, missing: [] };
  }
  const objects: ManifestObject[] = [];
  const missing: string[] = [];
  for (const name of names) {
    try {
      objects.push(await resource.get(context, context.namespace, name));
    } catch (error) {
      missing.push(asCliError(error, context.registryUrl).message);
    }
  }
  return { found: { selection, objects }, missing };
}

async function run(context: Context, given: Arguments): Promise<number> {
  const selections = selectionsOf(given.words);
  const format = textOption(given, 'output');
  const isEverywhere = flagOption(given, 'all-namespaces');
  const namespace = isEverywhere ? '*' : context.namespace;
  const selector = textOption(given, 'selector');
  const options: PrintOptions = {
    format,
    showsNamespace: isEverywhere,
    showsLabels: flagOption(given, 'show-labels'),
    hasHeaders: !flagOption(given, 'no-headers'),
    isQualified: selections.length > 1,
    isSingle: selections.length === 1 && selections[0]?.names.length === 1,
    nowMs: context.clock.nowMs(),
  };
  if (flagOption(given, 'watch'))
    return watchResource(context, selections, { namespace, selector, options });
  const missing: string[] = [];
  const found: Found[] = [];
  for (const selection of selections) {
    const result = await find(context, selection, { namespace, selector });
    missing.push(...result.missing);
    if (result.found.objects.length > 0 || selection.names.length === 0) found.push(result.found);
  }
  print(context, found, options);
  const isEmpty = found.every(({ objects }) => objects.length === 0);
  if (isEmpty && missing.length === 0 && isTable(format)) {
    const where = isEverywhere ? '.' : ` in ${context.namespace} namespace.`;
    warn(context, `No resources found${where}`);
  }
  for (const message of missing) warn(context, message);
  return missing.length > 0 && !flagOption(given, 'ignore-not-found') ? EXIT.failed : EXIT.ok;
}

function print(context: Context, found: readonly Found[], options: PrintOptions): void {
  const some = found.filter(({ objects }) => objects.length > 0);
  const { format } = options;
  if (format === undefined || format === 'wide') {
    const tables = some.map(({ selection, objects }) =>
      tableText(rowsOf(objects, selection.resource, options)),
    );
    context.out.write(tables.join('\n'));
    return;
  }
  if (format === 'name') {
    for (const { selection, objects } of some) {
      context.out.write(printed(objects, selection.resource, options));
    }
    return;
  }
  const objects = found.flatMap((one) => one.objects);
  if (options.isSingle && objects.length === 0) return;
  const text = printed(objects, undefined, options);
  context.out.write(text);
  if (format.startsWith('jsonpath=') && context.out.isTerminal && !text.endsWith('\n')) {
    say(context, '');
  }
}

export const get: Command = {
  name: 'get',
  summary: 'Show services, endpoints, instances and other things',
  usage: 'get TYPE[,TYPE...] [NAME...] | TYPE/NAME... [options]',
  examples: [
    'get svc',
    'get services -o wide',
    'get endpoints nginx',
    'get instances -l app=nginx --show-labels',
    'get svc nginx -o jsonpath={.spec.clusterIP}',
    'get svc,endpointslices -A',
    'get svc -w',
  ],
  options: {
    output: OUTPUT,
    ...SELECTING,
    watch: { type: 'boolean', short: 'w', help: 'Go on showing what changes' },
    'show-labels': { type: 'boolean', help: 'Show the labels as the last column' },
    'no-headers': { type: 'boolean', help: 'Leave the headings out' },
    'ignore-not-found': { type: 'boolean', help: 'Exit with 0 when a name is not found' },
  },
  run,
};
