import type { Dispatcher } from 'undici';

type Options = Dispatcher.DispatchOptions;
type Headers = NonNullable<Options['headers']>;
type Added = Readonly<Record<string, string>>;

/**
 * The options with more headers, in place of those of the same name; the very same options when there are none to add.
 * Headers that undici refuses stay as they are, for undici to refuse.
 */
export function addHeaders(options: Options, added: Added | undefined): Options {
  if (added === undefined) return options;
  const names = Object.keys(added).map((name) => name.toLowerCase());
  if (names.length === 0) return options;
  const isReplaced = (name: unknown) =>
    typeof name === 'string' && names.includes(name.toLowerCase());
  return { ...options, headers: merged(options.headers, added, isReplaced) };
}

function merged(
  given: Options['headers'],
  added: Added,
  isReplaced: (name: unknown) => boolean,
): Headers {
  if (given === undefined || given === null) return { ...added };
  if (Array.isArray(given)) {
    // Names and values in turn.
    const isKept = (at: number) => !isReplaced(given[at - (at % 2)]);
    return [...given.filter((_, at) => isKept(at)), ...Object.entries(added).flat()];
  }
  if (typeof given !== 'object') return given;
  if (Symbol.iterator in given) {
    const kept = Array.from(given).filter((pair) => !isReplaced(pair[0]));
    // Not an array: undici takes one for names and values in turn.
    return new Set<[string, string | string[] | undefined]>([...kept, ...Object.entries(added)]);
  }
  const kept = Object.entries(given).filter(([name]) => !isReplaced(name));
  return { ...Object.fromEntries(kept), ...added };
}
