import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CliError, EXIT, usageError } from '../base/cli-error.ts';
import type { Arguments, Command } from '../session/command.ts';
import { type Context, say, warn } from '../session/context.ts';
import { yamlText } from '../output/document.ts';
import { oneOf } from '../resources/catalog.ts';
import { instances } from '../resources/instances.ts';
import { mergeDiff } from '../patching/merge-diff.ts';
import { checkWritable, type Resource } from '../resources/resource.ts';
import { send } from './apply.ts';
import { FIELD_MANAGER, isForStatus, managerOf, SUBRESOURCE } from './writing.ts';

/** The object without the fields that only the registry sets. The status stays where it is what is edited. */
function editable(object: { metadata: object; status?: unknown }, isStatus: boolean): object {
  const { status, metadata, ...others } = object;
  const rest = isStatus ? { ...others, status } : others;
  const {
    resourceVersion: _version,
    managedFields: _managers,
    ...meta
  } = metadata as { resourceVersion?: unknown; managedFields?: unknown };
  return { ...rest, metadata: meta };
}

/** Runs the editor on the file; false when it failed. */
async function opened(editor: string, file: string, env: NodeJS.ProcessEnv): Promise<boolean> {
  // A shell is needed because the editor command may have arguments and quotes. The word after the script
  // is its $0, the next one its $1.
  const child = spawn('/bin/sh', ['-c', `${editor} "$1"`, 'sh', file], { stdio: 'inherit', env });
  try {
    const [code] = (await once(child, 'close')) as [number | null];
    return code === 0;
  } catch {
    return false;
  }
}

/** Why there is nothing to write: undefined when there is. */
function reasonToCancel(before: string, text: string): string | undefined {
  if (text === before) return 'no changes made';
  const isEmpty = text.split('\n').every((line) => /^\s*(#|$)/.test(line));
  return isEmpty ? 'saved file was empty' : undefined;
}

interface Edited {
  readonly resource: Resource;
  readonly name: string;
  readonly file: string;
  readonly before: string;
  readonly text: string;
  readonly isStatus: boolean;
  readonly fieldManager: string;
}

/**
 * Sends only what was changed: what others wrote while the editor was open stays. Before that, the registry looks at the
 * whole, since it can say where in the file a fault is.
 */
async function write(context: Context, edited: Edited): Promise<void> {
  const { resource, name, file, before, text, isStatus, fieldManager } = edited;
  const { rollcall, namespace } = context;
  const source = { text, locate: (line: number) => ({ file, line }) };
  if (!isStatus) await send(context, source, { mode: 'replace', dryRun: true, partial: false });
  const { parse } = await import('yaml');
  const options = { version: '1.1' } as const;
  const body = mergeDiff(parse(before, options), parse(text, options)) as Record<string, unknown>;
  const params = { ns: namespace, kind: resource.names[0] ?? '', name };
  const call = isStatus ? 'patchStatus' : 'patchManifest';
  await rollcall.call(call, { params, query: { fieldManager }, body });
}

async function run(context: Context, given: Arguments): Promise<number> {
  const { resource, name } = oneOf(given.words, edit.usage);
  checkWritable(resource);
  if (resource === instances) throw usageError('to change an instance, use label or drain');
  const object = await resource.get(context, context.namespace, name);
  const folder = mkdtempSync(join(tmpdir(), 'rollcall-edit-'));
  const file = join(folder, `${name}.yaml`);
  const isStatus = isForStatus(given);
  const fieldManager = managerOf(given, 'edit');
  const before = await yamlText(editable(object, isStatus), { isForTerminal: true });
  writeFileSync(file, before);
  const editor = context.env['KUBE_EDITOR'] ?? context.env['EDITOR'] ?? 'vi';
  if (!(await opened(editor, file, context.env))) {
    throw new CliError(`error: there was a problem with the editor "${editor}"`);
  }
  const text = readFileSync(file, 'utf8');
  const cancelled = reasonToCancel(before, text);
  if (cancelled !== undefined) {
    rmSync(folder, { recursive: true });
    warn(context, `Edit cancelled, ${cancelled}.`);
    return EXIT.ok;
  }
  // A refused file is kept, so that the user's changes are not lost.
  await write(context, { resource, name, file, before, text, isStatus, fieldManager });
  rmSync(folder, { recursive: true });
  say(context, `${resource.prefix}/${name} edited`);
  return EXIT.ok;
}

export const edit: Command = {
  name: 'edit',
  summary: 'Change a declared object in an editor: KUBE_EDITOR, EDITOR, else vi',
  usage: 'edit TYPE NAME [--subresource=status]',
  takes: 'objects',
  examples: ['edit svc nginx', 'edit deployment/web'],
  options: { subresource: SUBRESOURCE, 'field-manager': FIELD_MANAGER },
  run,
};
