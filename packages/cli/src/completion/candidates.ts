import { sleep } from '@rollcall/runtime';
import { RESOURCES } from '../resources/catalog.ts';
import { instances, instanceSpec } from '../resources/instances.ts';
import { namespaces } from '../resources/namespaces.ts';
import type { Resource } from '../resources/resource.ts';
import type { Command, OptionSpec, Options } from '../session/command.ts';
import type { Context } from '../session/context.ts';
import { GLOBAL, type OtherProgram } from '../session/help.ts';

/** Asks the shell to complete the name of a file. */
const FILES = ':files';

/** Nothing that a shell interprets. */
const HARMLESS = /^[\w.:/=-]+$/;

/** How long a person waits for live names, in ms. */
const PATIENCE_MS = 1_000;

const FORMATS = ['wide', 'yaml', 'json', 'name', 'jsonpath=', 'go-template=', 'custom-columns='];

interface Completing {
  readonly commandNames: readonly string[];
  readonly commandNamed: (name: string) => Promise<Command | undefined>;
  readonly programs: readonly OtherProgram[];
  readonly context: Context;
}

/**
 * How the last word of an unfinished command line could go on. `words` follow the program's name; the last one is
 * empty when a new word begins.
 */
export async function candidatesOf(
  words: readonly string[],
  completing: Completing,
): Promise<string[]> {
  const found = await allCandidatesOf(words, completing);
  // A shell may run what it inserts, and names come from a registry.
  return found.filter((one) => one === FILES || HARMLESS.test(one));
}

async function allCandidatesOf(
  words: readonly string[],
  completing: Completing,
): Promise<string[]> {
  const { commandNamed, programs, context } = completing;
  const partial = words.at(-1) ?? '';
  const before = words.slice(0, -1);
  // What follows is the command line of another program.
  if (before.includes('--')) return [FILES];
  const [name] = positionalsOf(before, GLOBAL);
  // A program has options of its own.
  if (programs.some((one) => one.name === name)) return [FILES];
  const command = await commandNamed(name ?? '');
  const options: Options = { ...GLOBAL, ...command?.options };
  const [, option = '', value] = /^(--[\w-]+)=(.*)$/.exec(partial) ?? [];
  if (value !== undefined) {
    const asked = waitingOption(option, options);
    const values = asked === undefined ? [] : await valuesOf(asked, context);
    return values.filter((one) => one.startsWith(value)).map((one) => `${option}=${one}`);
  }
  const asking = waitingOption(before.at(-1), options);
  const found =
    asking === undefined
      ? await wordsFor({ ...completing, partial, before, name, command, options })
      : await valuesOf(asking, context);
  return found.filter((one) => one === FILES || one.startsWith(partial));
}

interface Place extends Completing {
  readonly partial: string;
  readonly before: readonly string[];
  readonly name: string | undefined;
  readonly command: Command | undefined;
  readonly options: Options;
}

async function wordsFor(place: Place): Promise<readonly string[]> {
  const { partial, before, name, command, options, commandNames, programs, context } = place;
  if (partial.startsWith('-')) return Object.keys(options).map((option) => `--${option}`);
  if (name === undefined) return [...commandNames, 'help', ...programs.map((one) => one.name)];
  if (name === 'help') return [...commandNames, ...programs.map((one) => one.name)];
  const { takes = [] } = command ?? {};
  const [, ...given] = positionalsOf(before, options);
  if (takes === 'instances') return namesOf(instances, context);
  if (takes === 'objects') return objectWords(partial, given, context);
  return given.length === 0 ? takes : [];
}

/** `svc`, `svc/nginx`, or after a type the names of its objects. */
async function objectWords(
  partial: string,
  given: readonly string[],
  context: Context,
): Promise<string[]> {
  const [first] = given;
  if (first !== undefined && !first.includes('/')) {
    const names = await namesOf(resourceNamed(first), context);
    return names.filter((one) => !given.includes(one));
  }
  const slash = partial.indexOf('/');
  if (slash === -1) return RESOURCES.map(({ names }) => names[0] ?? '');
  const type = partial.slice(0, slash);
  const names = await namesOf(resourceNamed(type), context);
  return names.map((one) => `${type}/${one}`);
}

const resourceNamed = (type: string) => RESOURCES.find(({ names }) => names.includes(type));

/** Live names; none when the registry does not answer soon. */
async function namesOf(resource: Resource | undefined, context: Context): Promise<string[]> {
  if (resource === undefined) return [];
  const listed = resource.list(context, context.namespace, undefined).catch(() => []);
  const late = sleep(context.clock, PATIENCE_MS, context.signal).then(() => []);
  const objects = await Promise.race([listed, late]);
  return objects.map((object) => {
    const { name } = object.metadata;
    return resource === instances ? `${instanceSpec(object).service}/${name}` : name;
  });
}

/** The option whose value the next word is. */
function waitingOption(
  last: string | undefined,
  options: Options,
): (OptionSpec & { readonly name: string }) | undefined {
  if (last === undefined || !last.startsWith('-') || last.includes('=')) return undefined;
  const found = Object.entries(options).find(
    ([name, { short }]) => last === `--${name}` || last === `-${short}`,
  );
  return found?.[1].type === 'string' ? { name: found[0], ...found[1] } : undefined;
}

async function valuesOf(
  { name, value = '' }: OptionSpec & { readonly name: string },
  context: Context,
): Promise<readonly string[]> {
  if (name === 'namespace') return namesOf(namespaces, context);
  if (value === 'FORMAT') return FORMATS;
  if (value === 'FILE') return [FILES];
  // Such as server|client|none.
  return value.includes('|') ? value.split('|') : [];
}

/** The words that are neither options nor their values. */
function positionalsOf(words: readonly string[], options: Options): string[] {
  return words.filter(
    (word, i) => !word.startsWith('-') && waitingOption(words[i - 1], options) === undefined,
  );
}
