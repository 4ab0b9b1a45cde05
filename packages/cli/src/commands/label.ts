import type { ManifestObject } from '@rollcall/client-sdk';
import { CliError, EXIT, usageError } from '../base/cli-error.ts';
import { type Arguments, type Command, flagOption, textOption } from '../session/command.ts';
import { type Context, say } from '../session/context.ts';
import { selectionsOf } from '../resources/catalog.ts';
import { instances, instanceSpec } from '../resources/instances.ts';
import { checkWritable, type Resource } from '../resources/resource.ts';
import { SELECTING } from './selecting.ts';
import { FIELD_MANAGER, managerOf } from './writing.ts';

type What = 'labels' | 'annotations';
type Pairs = Readonly<Record<string, string | null>>;

/** `key=value` sets a label, `key-` removes it; these words come last. */
function split(
  words: readonly string[],
  what: What,
): { readonly names: readonly string[]; readonly pairs: Pairs } {
  const pairs: Record<string, string | null> = {};
  const names: string[] = [];
  for (const word of words) {
    const equals = word.indexOf('=');
    const isRemoval = equals <= 0 && word.endsWith('-') && names.length > 0;
    if (equals <= 0 && !isRemoval) {
      names.push(word);
      continue;
    }
    const key = word.slice(0, isRemoval ? -1 : equals);
    if (Object.hasOwn(pairs, key) && (pairs[key] === null) !== isRemoval) {
      const one = what === 'labels' ? 'a label' : 'an annotation';
      throw usageError(`can not both modify and remove ${one} in the same command`);
    }
    pairs[key] = isRemoval ? null : word.slice(equals + 1);
  }
  if (Object.keys(pairs).length === 0) {
    throw usageError(`at least one ${what.slice(0, -1)} update is required: KEY=VALUE or KEY-`);
  }
  return { names, pairs };
}

/** A label may have the name of something that every object inherits, such as `constructor`. */
function ownValue(values: Readonly<Record<string, string>>, key: string): string | undefined {
  return Object.hasOwn(values, key) ? values[key] : undefined;
}

function checkOverwrite(of: What, before: Readonly<Record<string, string>>, pairs: Pairs): void {
  for (const [key, value] of Object.entries(pairs)) {
    const has = ownValue(before, key);
    if (value === null || has === undefined || has === value) continue;
    const what = `'${key}' already has a value (${has})`;
    if (of === 'labels') throw new CliError(`error: ${what}, and --overwrite is false`);
    const declared = 'found the following declared annotation(s)';
    throw new CliError(`error: --overwrite is false but ${declared}: ${what}`);
  }
}

async function write(
  { rollcall, namespace }: Context,
  { resource, object }: { readonly resource: Resource; readonly object: ManifestObject },
  change: { readonly what: What; readonly pairs: Pairs; readonly fieldManager: string },
): Promise<void> {
  const { name } = object.metadata;
  const { what, pairs, fieldManager } = change;
  if (resource === instances) {
    if (what === 'annotations') throw usageError('instances have labels and no annotations');
    const params = { ns: namespace, svc: instanceSpec(object).service, id: name };
    await rollcall.call('patchInstance', { params, body: { labels: pairs } });
    return;
  }
  const params = { ns: namespace, kind: resource.names[0] ?? '', name };
  const body = { metadata: { [what]: pairs } };
  await rollcall.call('patchManifest', { params, query: { fieldManager }, body });
}

/** The word that kubectl prints for a change. */
function wordOf(what: What, pairs: Pairs, before: Readonly<Record<string, string>>): string {
  if (what === 'annotations') return 'annotated';
  const changes = Object.entries(pairs).filter(
    ([key, value]) => (ownValue(before, key) ?? null) !== value,
  );
  if (changes.length === 0) return 'not labeled';
  if (changes.every(([, value]) => value === null)) return 'unlabeled';
  return changes.every(([, value]) => value !== null) ? 'labeled' : 'modified';
}

function changer(what: What) {
  return async (context: Context, given: Arguments): Promise<number> => {
    const { names: words, pairs } = split(given.words, what);
    const selector = textOption(given, 'selector');
    const fieldManager = managerOf(given, what === 'labels' ? 'label' : 'annotate');
    for (const { resource, names } of selectionsOf(words)) {
      checkWritable(resource);
      if (names.length === 0 && !flagOption(given, 'all') && selector === undefined) {
        throw usageError(
          'one or more resources must be specified as <resource> <name> or <resource>/<name>',
        );
      }
      const objects =
        names.length === 0
          ? await resource.list(context, context.namespace, selector)
          : await Promise.all(names.map((name) => resource.get(context, context.namespace, name)));
      for (const object of objects) {
        const before = object.metadata[what] ?? {};
        if (!flagOption(given, 'overwrite')) checkOverwrite(what, before, pairs);
        for (const [key, value] of Object.entries(pairs)) {
          if (value !== null || what !== 'labels' || ownValue(before, key) !== undefined) continue;
          say(context, `label ${JSON.stringify(key)} not found.`);
        }
        await write(context, { resource, object }, { what, pairs, fieldManager });
        say(context, `${resource.prefix}/${object.metadata.name} ${wordOf(what, pairs, before)}`);
      }
    }
    return EXIT.ok;
  };
}

const OPTIONS = {
  overwrite: { type: 'boolean', help: 'Change labels that have another value already' },
  selector: SELECTING.selector,
  all: { type: 'boolean', help: 'All objects of the type in the namespace' },
  'field-manager': FIELD_MANAGER,
} as const;

export const label: Command = {
  name: 'label',
  summary: 'Set or remove labels of services, instances and other things',
  usage: 'label TYPE NAME KEY=VALUE... KEY-...',
  takes: 'objects',
  examples: [
    'label svc nginx env=prod',
    'label instance nginx/a canary=true',
    'label svc nginx env-',
  ],
  options: OPTIONS,
  run: changer('labels'),
};

export const annotate: Command = {
  name: 'annotate',
  summary: 'Set or remove annotations',
  usage: 'annotate TYPE NAME KEY=VALUE... KEY-...',
  takes: 'objects',
  examples: [
    'annotate svc nginx rollcall.dev/scheduler=lc',
    'annotate svc nginx rollcall.dev/scheduler-',
  ],
  options: OPTIONS,
  run: changer('annotations'),
};
