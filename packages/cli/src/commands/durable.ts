import { renameSync, writeFileSync } from 'node:fs';
import { CliError, EXIT, usageError } from '../base/cli-error.ts';
import { type Arguments, type Command, flagOption, textOption } from '../session/command.ts';
import { type Context, say } from '../session/context.ts';
import { readText } from '../session/manifest-files.ts';
import { jsonText } from '../output/document.ts';

/** Timeout of export and import, in ms: a large export takes time. */
const TIMEOUT_MS = 60_000;

const counted = (count: number, what: string) => `${count} ${what}${count === 1 ? '' : 's'}`;

/** Writes a new file and renames it, so that the target is never incomplete; readable only by its owner. */
function writeWhole(path: string, text: string): void {
  try {
    writeFileSync(`${path}.new`, text, { mode: 0o600 });
    renameSync(`${path}.new`, path);
  } catch (error) {
    throw new CliError(`error: ${(error as Error).message}`);
  }
}

async function runExport(context: Context, given: Arguments): Promise<number> {
  const file = textOption(given, 'filename') ?? '-';
  const durable = await context.rollcall.call('exportDurable', { timeoutMs: TIMEOUT_MS });
  if (file === '-') {
    context.out.pass(jsonText(durable, { isForTerminal: context.out.isTerminal, indent: 0 }));
    return EXIT.ok;
  }
  writeWhole(file, jsonText(durable, { isForTerminal: false, indent: 0 }));
  const { resources, instances } = durable.content;
  const things = counted(resources.length, 'object');
  say(context, `exported ${things} and ${counted(instances.length, 'instance')} to ${file}`);
  return EXIT.ok;
}

/** Why an object was not imported; imported ones are not mentioned. */
const REASONS = {
  newer: 'skipped: the existing one is newer',
  deleted: 'skipped: it was deleted after the export',
  ended: 'skipped: it has expired',
  live: 'skipped: a live process has its id',
  full: 'skipped: its service has the maximum number of instances',
} as const;

async function runImport(context: Context, given: Arguments): Promise<number> {
  const file = textOption(given, 'filename');
  if (file === undefined) throw usageError('must specify -f: a file from export, or -');
  const body = file === '-' ? await context.readStdin() : readText(file);
  const dryRun = flagOption(given, 'dry-run');
  const query = { replace: flagOption(given, 'replace'), dryRun };
  const request = { query, body, timeoutMs: TIMEOUT_MS };
  const { items } = await context.rollcall.call('importDurable', request);
  const end = dryRun ? ' (dry run)' : '';
  let unchanged = 0;
  for (const { item, outcome } of items) {
    if (outcome === 'written') say(context, `${item} imported${end}`);
    else if (outcome === 'unchanged') unchanged++;
    else if (outcome !== 'own') say(context, `${item} ${REASONS[outcome]}${end}`);
  }
  if (unchanged > 0) say(context, `${unchanged} unchanged`);
  if (items.length === 0) say(context, 'nothing to import');
  return EXIT.ok;
}

export const exportCommand: Command = {
  name: 'export',
  summary: 'Write declared objects, overrides and persistent instances to a file, with a checksum',
  usage: 'export [-f FILE]',
  examples: ['export -f backup.json', 'export > backup.json'],
  options: {
    filename: {
      type: 'string',
      short: 'f',
      value: 'FILE',
      help: 'File to write; default: standard output',
    },
  },
  run: runExport,
};

export const importCommand: Command = {
  name: 'import',
  summary: 'Bring back what export wrote, except what is newer or was deleted since',
  usage: 'import -f FILE [--replace] [--dry-run]',
  examples: ['import -f backup.json --dry-run', 'import -f backup.json --replace'],
  options: {
    filename: {
      type: 'string',
      short: 'f',
      value: 'FILE',
      help: 'File that export wrote; - = standard input',
    },
    replace: {
      type: 'boolean',
      help: 'Also replace what is newer, and bring back what was deleted since',
    },
    'dry-run': { type: 'boolean', help: 'Check and show, but write nothing' },
  },
  run: runImport,
};
