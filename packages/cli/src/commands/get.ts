import type { ManifestObject } from '@rollcall/client-sdk';
import { EXIT } from '../base/cli-error.ts';
import {
  type Arguments,
  type Command,
  flagOption,
  listOption,
  textOption,
} from '../session/command.ts';
import { type Context, say, warn } from '../session/context.ts';
import { valuesAt } from '../output/jsonpath.ts';
import { isTable, type PrintOptions, printed, rowsOf } from '../resources/printer.ts';
import { tableText } from '../output/table.ts';
import type { Selection } from '../resources/catalog.ts';
import { find, type Found, nothingFound } from '../resources/finding.ts';
import { selectionsBy } from '../resources/named-in-files.ts';
import type { Resource } from '../resources/resource.ts';
import { FILES } from './apply.ts';
import { FIELD_SELECTOR, OUTPUT, SELECTING } from './selecting.ts';
import { watchResource } from './watch.ts';
import { isForStatus, SUBRESOURCE } from './writing.ts';

function formatOf(given: Arguments): string | undefined {
  const format = textOption(given, 'output');
  const template = textOption(given, 'template');
  if (template === undefined || format?.includes('=') === true) return format;
  return `${format ?? 'go-template'}=${template}`;
}

function optionsOf(
  context: Context,
  given: Arguments,
  selections: readonly Selection[],
): PrintOptions {
  return {
    format: formatOf(given),
    showsNamespace: flagOption(given, 'all-namespaces'),
    labelColumns: listOption(given, 'label-columns').flatMap((text) => text.split(',')),
    showsLabels: flagOption(given, 'show-labels'),
    hasHeaders: !flagOption(given, 'no-headers'),
    showsManagers: flagOption(given, 'show-managed-fields'),
    isQualified: selections.length > 1 || flagOption(given, 'show-kind'),
    isSingle: selections.length === 1 && selections[0]?.names.length === 1,
    nowMs: context.clock.wallMs(),
    isForTerminal: context.out.isTerminal,
    columns: context.out.columns,
  };
}

/** The same objects, read by name from where their status is written. */
function ofStatus<T extends Selection>(selection: T): T {
  const { resource } = selection;
  const get: Resource['get'] = ({ rollcall }, namespace, name) =>
    rollcall.call('readStatus', { params: { ns: namespace, kind: resource.names[0] ?? '', name } });
  return { ...selection, resource: { ...resource, get } };
}

async function run(context: Context, given: Arguments): Promise<number> {
  const wholes = await selectionsBy(context, given);
  const selections = isForStatus(given) ? wholes.map(ofStatus) : wholes;
  const isEverywhere = flagOption(given, 'all-namespaces');
  const options = optionsOf(context, given, selections);
  const wanted = {
    namespace: isEverywhere ? '*' : context.namespace,
    selector: textOption(given, 'selector'),
    fields: textOption(given, 'field-selector'),
  };
  const isLater = flagOption(given, 'watch-only');
  if (isLater || flagOption(given, 'watch')) {
    return watchResource(context, selections, { wanted, options, isLater });
  }
  const found: Found[] = [];
  for (const { namespace = context.namespace, ...selection } of selections) {
    found.push(await find({ ...context, namespace }, selection, wanted));
  }
  const by = textOption(given, 'sort-by');
  const sorted =
    by === undefined ? found : found.map((one) => ({ ...one, objects: sortedBy(by, one.objects) }));
  await print(context, sorted, options);
  const missing = found.flatMap((one) => one.missing);
  const isEmpty = found.every(({ objects }) => objects.length === 0);
  const isForgiven = flagOption(given, 'ignore-not-found');
  if (isEmpty && missing.length === 0 && isTable(options.format) && !isForgiven) {
    warn(context, nothingFound(context, selections, isEverywhere));
  }
  if (isForgiven) return EXIT.ok;
  for (const message of missing) context.err.write(`${message}\n`);
  return missing.length > 0 ? EXIT.failed : EXIT.ok;
}

function sortedBy(path: string, objects: readonly ManifestObject[]): ManifestObject[] {
  const bare = path.replaceAll(/^'|'$/g, '');
  // Objects without the field come first.
  const keyOf = (object: ManifestObject) => textOf(valuesAt(bare, object)[0]);
  return objects.toSorted((a, b) => keyOf(a).localeCompare(keyOf(b), 'en', { numeric: true }));
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
}

async function print(
  context: Context,
  found: readonly Found[],
  options: PrintOptions,
): Promise<void> {
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
      context.out.pass(await printed(objects, selection.resource, options));
    }
    return;
  }
  const objects = found.flatMap((one) => one.objects);
  if (options.isSingle && objects.length === 0) return;
  const text = await printed(objects, undefined, options);
  context.out.pass(text);
  // The shell prompt must start on a new line.
  if (context.out.isTerminal && text !== '' && !text.endsWith('\n')) say(context, '');
}

export const get: Command = {
  name: 'get',
  summary: 'Show services, endpoints, instances and other things',
  usage: 'get TYPE[,TYPE...] [NAME...] | TYPE/NAME... | -f FILE [options]',
  takes: 'objects',
  examples: [
    'get svc',
    'get services -o wide',
    'get endpoints nginx',
    'get instances -l app=nginx --show-labels',
    "get svc nginx -o jsonpath='{.spec.clusterIP}'",
    'get svc,endpointslices -A',
    'get svc -w',
  ],
  options: {
    ...FILES,
    output: OUTPUT,
    template: {
      type: 'string',
      value: 'TEMPLATE',
      help: 'Template for -o go-template or jsonpath',
    },
    ...SELECTING,
    'field-selector': FIELD_SELECTOR,
    'sort-by': { type: 'string', value: '.path', help: 'Sort by a field, such as .metadata.name' },
    watch: { type: 'boolean', short: 'w', help: 'Keep showing changes' },
    'watch-only': { type: 'boolean', help: 'Show changes, and not what is there already' },
    'label-columns': {
      type: 'string',
      short: 'L',
      multiple: true,
      value: 'KEY,...',
      help: 'Labels to show as columns',
    },
    subresource: SUBRESOURCE,
    'show-managed-fields': { type: 'boolean', help: 'Show who wrote, with -o yaml or json' },
    'show-kind': { type: 'boolean', help: 'Put the type before each name' },
    'show-labels': { type: 'boolean', help: 'Show the labels as the last column' },
    'no-headers': { type: 'boolean', help: 'Do not print the column headings' },
    'ignore-not-found': { type: 'boolean', help: 'Exit with 0 when a name is not found' },
  },
  run,
};
