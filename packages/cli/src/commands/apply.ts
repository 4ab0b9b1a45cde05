import type { ApplyReply, ApplyResult, ManifestObject } from '@rollcall/client-sdk';
import { RollcallError } from '@rollcall/client-sdk/registration';
import { CliError, EXIT, usageError } from '../base/cli-error.ts';
import {
  type Arguments,
  type Command,
  flagOption,
  listOption,
  type Options,
  textOption,
} from '../session/command.ts';
import { type Context, say, warn } from '../session/context.ts';
import { type ManifestText, readManifestFiles } from '../session/manifest-files.ts';
import { differenceText } from '../output/difference.ts';
import { yamlText } from '../output/document.ts';
import { checkWrittenFormat, type PrintOptions, printed } from '../resources/printer.ts';
import { faultsText, type Locate } from '../session/refusal.ts';
import { resourceOf } from '../resources/catalog.ts';
import { OUTPUT } from './selecting.ts';
import { FIELD_MANAGER, managerOf } from './writing.ts';

export const FILES = {
  filename: {
    type: 'string',
    short: 'f',
    multiple: true,
    value: 'FILE',
    help: 'A file, a folder, a URL, or - for standard input; repeat for several',
  },
  recursive: { type: 'boolean', short: 'R', help: 'Include subfolders' },
} as const;

export const DRY_RUN = {
  type: 'string',
  value: 'server|client|none',
  help: 'Check and show the result, but write nothing',
} as const;

const WRITING: Options = {
  ...FILES,
  'dry-run': DRY_RUN,
  partial: { type: 'boolean', help: 'Write the valid documents even if others are invalid' },
  'field-manager': FIELD_MANAGER,
  output: OUTPUT,
};

type Mode = 'apply' | 'create' | 'replace';

/** Manifests and the origin of their lines; undefined when they come from no file. */
type Source = Pick<ManifestText, 'text'> & { readonly locate: Locate | undefined };

/** Sends manifests; errors name the file and line of each fault. */
export async function send(
  { rollcall, namespace }: Context,
  { text, locate }: Source,
  query: {
    readonly mode: Mode;
    readonly dryRun: boolean;
    readonly partial: boolean;
    readonly fieldManager?: string;
  },
): Promise<ApplyReply> {
  try {
    return await rollcall.call('apply', { query: { namespace, ...query }, body: text });
  } catch (error) {
    if (!(error instanceof RollcallError)) throw error;
    if (error.code === 'invalid_manifest' && error.faults.length === 0) {
      throw new CliError(`error: no objects passed to ${query.mode}`);
    }
    if (error.faults.length === 0) throw error;
    throw new CliError(faultsText(error.faults, { locate, mode: query.mode }));
  }
}

/** `service/nginx`, `deployment.apps/web`. */
export function titleOf({ kind, name }: Pick<ApplyResult, 'kind' | 'name'>): string {
  return `${resourceOf(kind).prefix}/${name}`;
}

/** Whether to write nothing, and what to say after the result then. */
export function dryOf(given: Arguments): { readonly isDry: boolean; readonly suffix: string } {
  if (!isDry(given)) return { isDry: false, suffix: '' };
  const isServer = textOption(given, 'dry-run') === 'server';
  return { isDry: true, suffix: isServer ? ' (server dry run)' : ' (dry run)' };
}

export function isDry(given: Arguments): boolean {
  const dry = textOption(given, 'dry-run') ?? 'none';
  if (!['none', 'server', 'client', 'true', 'false'].includes(dry)) {
    throw usageError(`Invalid dry-run value (${dry}). Must be "none", "server", or "client".`);
  }
  return !['none', 'false'].includes(dry);
}

/** In which `apply` keeps what was applied last. */
export const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/** `apply` takes fields away that were applied last and are no longer there: without the annotation it cannot know. */
function warnUnlessApplied(context: Context, { kind, name, before }: ApplyResult): void {
  // The registry keeps no annotation of a Secret: it would show its content.
  if (before === null || kind === 'Secret') return;
  if (before.metadata.annotations?.[LAST_APPLIED] !== undefined) return;
  const [plural = ''] = resourceOf(kind).names;
  warn(
    context,
    `Warning: resource ${plural}/${name} is missing the ${LAST_APPLIED} annotation which is required by rollcall apply. rollcall apply should only be used on resources created declaratively by either rollcall create --save-config or rollcall apply. The missing annotation will be patched automatically.`,
  );
}

/** How written objects are printed with `-o`. */
export function printing({ clock, out }: Context, format: string): PrintOptions {
  return {
    format,
    showsNamespace: false,
    showsLabels: false,
    hasHeaders: true,
    isQualified: false,
    isSingle: true,
    nowMs: clock.wallMs(),
    isForTerminal: out.isTerminal,
  };
}

/** Prints the result of each document; the exit code tells whether any was refused. */
async function tell(
  context: Context,
  reply: ApplyReply,
  { given, source, mode }: { given: Arguments; source: Source; mode: Mode },
): Promise<number> {
  const format = textOption(given, 'output');
  const word = mode === 'replace' ? 'replaced' : undefined;
  const dry = textOption(given, 'dry-run') === 'server' ? ' (server dry run)' : ' (dry run)';
  const objects = reply.results.flatMap(({ object }) => object ?? []);
  for (const result of reply.results) {
    if (mode === 'apply' && result.action !== 'refused') warnUnlessApplied(context, result);
    for (const warning of result.warnings) warn(context, `Warning: ${warning}`);
    if (result.action === 'refused') {
      context.err.write(`${faultsText(result.faults, { locate: source.locate, mode })}\n`);
    } else if (format === undefined || format === 'name') {
      const end = format === 'name' ? '' : ` ${word ?? result.action}${reply.dryRun ? dry : ''}`;
      say(context, `${titleOf(result)}${end}`);
    }
  }
  if (format !== undefined && format !== 'name') {
    const options = printing(context, format);
    const isSingle = objects.length === 1;
    context.out.pass(await printed(objects, undefined, { ...options, isSingle }));
  }
  return reply.results.some(({ action }) => action === 'refused') ? EXIT.failed : EXIT.ok;
}

export const SAVE_CONFIG = {
  type: 'boolean',
  help: 'Keep the manifest in an annotation, as apply does, so that apply can be used later',
} as const;

function writer(mode: Mode) {
  return async (context: Context, given: Arguments): Promise<number> => {
    const files = listOption(given, 'filename');
    const source = await readManifestFiles(context, files, flagOption(given, 'recursive'));
    if (flagOption(given, 'diff')) return showDifference(context, source);
    checkWrittenFormat(textOption(given, 'output'));
    const fieldManager = managerOf(given, mode);
    const partial = flagOption(given, 'partial');
    const query = { mode, dryRun: isDry(given), partial, fieldManager };
    const isSaved = flagOption(given, 'save-config');
    if (isSaved && partial) throw usageError('expected either --partial or --save-config');
    // Only `apply` stores the annotation. Whether there is such an object already must be asked before.
    if (isSaved && !query.dryRun) await send(context, source, { ...query, dryRun: true });
    const own = isSaved && !query.dryRun ? ({ ...query, mode: 'apply' } as const) : query;
    return tell(context, await send(context, source, own), { given, source, mode });
  };
}

/** Stands for content that is not shown, in the words of kubectl. */
const MASKED = { before: "data: '*** (before)'\n", after: "data: '*** (after)'\n" };

/** Shows the changes as a unified diff; returns 1 when there are any. */
async function showDifference(context: Context, source: ManifestText): Promise<number> {
  const { results } = await send(context, source, { mode: 'apply', dryRun: true, partial: false });
  const texts: string[] = [];
  for (const { kind, namespace, name, before, object, action } of results) {
    if (action === 'unchanged') continue;
    const [from, to] = [await settledText(before), await settledText(object)];
    // The registry does not show what a Secret holds, only that it would be something else.
    const isHidden = kind === 'Secret' && from === to;
    const [hiddenFrom, hiddenTo] = isHidden ? [MASKED.before, MASKED.after] : ['', ''];
    const title = `${kind}.${namespace}.${name}`;
    texts.push(differenceText(title, from + hiddenFrom, to + hiddenTo));
  }
  context.out.write(texts.join(''));
  return texts.some((text) => text !== '') ? EXIT.failed : EXIT.ok;
}

/** Without what changes with each write. */
function withoutVersion(metadata: ManifestObject['metadata']): ManifestObject['metadata'] {
  const {
    resourceVersion: _,
    generation: _generation,
    managedFields: _managers,
    ...rest
  } = metadata;
  return rest;
}

/** The object without parts that change by themselves: the version, and the copy of the last applied manifest. */
async function settledText(object: ManifestObject | null): Promise<string> {
  if (object === null) return '';
  const { metadata, status: _, ...rest } = object;
  const { annotations = {}, ...meta } = withoutVersion(metadata);
  const kept = Object.entries(annotations).filter(
    ([key]) => !key.startsWith('kubectl.kubernetes.io/'),
  );
  const shown = kept.length === 0 ? meta : { ...meta, annotations: Object.fromEntries(kept) };
  // Characters that a terminal would hide are escaped, so that changes of them are visible too.
  return yamlText({ ...rest, metadata: shown }, { isForTerminal: true });
}

export const apply: Command = {
  name: 'apply',
  summary: 'Declare the objects in files: create them, or change what differs',
  usage: 'apply -f FILE [options]',
  examples: [
    'apply -f svc.yaml',
    'apply -f ./manifests --dry-run=server',
    'apply -f svc.yaml --diff',
    'apply -f -',
  ],
  options: {
    ...WRITING,
    diff: { type: 'boolean', help: 'Show what would change, and exit with 1 if anything would' },
  },
  run: writer('apply'),
};

export const createFromFiles = writer('create');

export const replaceFromFiles = writer('replace');

export const diff: Command = {
  name: 'diff',
  summary: 'Show what applying files would change; exit with 1 if anything',
  usage: 'diff -f FILE',
  examples: ['diff -f svc.yaml'],
  options: FILES,
  run: async (context, given) => {
    const files = listOption(given, 'filename');
    return showDifference(
      context,
      await readManifestFiles(context, files, flagOption(given, 'recursive')),
    );
  },
};

export { WRITING };
