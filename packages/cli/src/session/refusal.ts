import type { Fault } from '@rollcall/client-sdk';
import { RollcallError } from '@rollcall/client-sdk/registration';
import { CliError, EXIT } from '../base/cli-error.ts';
import { visibleLine } from '../output/untrusted.ts';

/** Error codes in kubectl's words. A map, because a code may be any text. */
const WORDS: ReadonlyMap<string, string> = new Map(
  Object.entries({
    object_not_found: 'NotFound',
    service_not_found: 'NotFound',
    instance_not_found: 'NotFound',
    override_not_found: 'NotFound',
    kind_not_found: 'NotFound',
    object_exists: 'AlreadyExists',
    object_changed: 'Conflict',
    range_exhausted: 'Conflict',
    invalid_manifest: 'Invalid',
    invalid_request: 'BadRequest',
    malformed_json: 'BadRequest',
    unauthenticated: 'Unauthorized',
    forbidden: 'Forbidden',
    rate_limited: 'TooManyRequests',
  }),
);

/** Whether the registry answered that there is no such object. */
export function isNotFound(error: unknown): boolean {
  return error instanceof RollcallError && WORDS.get(error.code) === 'NotFound';
}

/** Converts an error to a message in kubectl's style; errors of other types are bugs and are rethrown. */
export function asCliError(error: unknown, registryUrl: string): CliError {
  if (error instanceof CliError) return error;
  if (!(error instanceof RollcallError)) throw error;
  if (error.code === 'registry_unreachable') {
    const hint =
      'is the registry running? Its address is taken from --registry or ROLLCALL_URL, else http://127.0.0.1:7400';
    return new CliError(
      `The connection to the registry ${registryUrl} was refused or did not answer: ${hint}\n(${visibleLine(error.message)})`,
    );
  }
  if (error.code === 'registry_garbled') {
    const hint = 'its address is taken from --registry or ROLLCALL_URL';
    const detail = visibleLine(error.message);
    return new CliError(`What answers at ${registryUrl} is no registry: ${hint}\n(${detail})`);
  }
  if (error.code === 'invalid_options') {
    return new CliError(`error: ${visibleLine(error.message)}`, EXIT.usage);
  }
  if (error.faults.length > 0) return new CliError(faultsText(error.faults));
  const word = WORDS.get(error.code) ?? error.code;
  const where = error.field === '' || word === 'NotFound' ? '' : ` (${error.field})`;
  return new CliError(visibleLine(`Error from server (${word}): ${error.message}${where}`));
}

/** Maps a line of the sent text to its file and line. */
export type Locate = (line: number) => { readonly file: string; readonly line: number };

/** Options for printing faults. */
interface Telling {
  /** Undefined when the text came from no file. */
  readonly locate?: Locate | undefined;
  readonly mode?: 'apply' | 'create' | 'replace';
}

const DOING = { apply: 'applying', create: 'creating', replace: 'replacing' } as const;

/** All faults, object by object, in kubectl's wording, with position and fix where known. */
export function faultsText(faults: readonly Fault[], telling: Telling = {}): string {
  const byObject = new Map<string, Fault[]>();
  for (const fault of faults) {
    byObject.set(fault.object, [...(byObject.get(fault.object) ?? []), fault]);
  }
  return [...byObject].map(([object, own]) => objectText(object, own, telling)).join('\n');
}

function objectText(object: string, faults: readonly Fault[], telling: Telling): string {
  const { locate, mode = 'apply' } = telling;
  const [first] = faults;
  const place = placeOf(first, locate);
  const word = conflictOf(first);
  if (first !== undefined && word !== undefined && faults.length === 1) {
    const file = place.replace(/:\d+:\d+$/, '');
    const doing = file === '' ? '' : `error when ${DOING[mode]} "${file}": `;
    return visibleLine(`Error from server (${word}): ${doing}${first.message}`);
  }
  const lines = faults.map((fault) => lineOf(fault, locate));
  if (object === '') {
    return faults.map((fault) => `error: error parsing ${parseText(fault, locate)}`).join('\n');
  }
  const [kind] = object.split(' ');
  const name = object.slice((kind?.length ?? 0) + 1);
  const head = visibleLine(`The ${kind} ${name} is invalid:`);
  return lines.length === 1
    ? `${head} ${lines[0]}`
    : [`${head} `, ...lines.map((line) => `* ${line}`)].join('\n');
}

/** An object that exists already, or does not exist, is not a fault of the manifest. */
function conflictOf(fault: Fault | undefined): string | undefined {
  if (fault === undefined || fault.field !== '' || fault.object === '') return undefined;
  if (fault.message.endsWith('already exists')) return 'AlreadyExists';
  return fault.message.endsWith('not found') ? 'NotFound' : undefined;
}

function placeOf(fault: Fault | undefined, locate: Locate | undefined): string {
  if (fault === undefined || fault.line === 0 || locate === undefined) return '';
  const { file, line } = locate(fault.line);
  return visibleLine(`${file}:${line}:${fault.column}`);
}

/** In kubectl's wording: the file, then the line and the fault. */
function parseText(fault: Fault, locate: Locate | undefined): string {
  const { file, line } = locate?.(fault.line) ?? { file: 'STDIN', line: fault.line };
  return `${visibleLine(file)}: line ${line}: ${lineOf(fault, locate)}`;
}

function lineOf(fault: Fault, locate: Locate | undefined): string {
  const { field, message, fix } = fault;
  const what = visibleLine(field === '' ? message : `${field}: ${message}`);
  const place = placeOf(fault, locate);
  const at = place === '' ? '' : `\n    at ${place}`;
  const remedy = fix === '' ? '' : `\n    fix: ${visibleLine(fix)}`;
  return `${what}${at}${remedy}`;
}
