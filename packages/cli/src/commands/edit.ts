import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CliError, EXIT, usageError } from '../base/cli-error.ts';
import type { Arguments, Command } from '../session/command.ts';
import { type Context, say } from '../session/context.ts';
import { yamlText } from '../output/document.ts';
import { oneOf } from '../resources/catalog.ts';
import { instances } from '../resources/instances.ts';
import { checkWritable } from '../resources/resource.ts';
import { send } from './apply.ts';
import { FIELD_MANAGER, managerOf } from './writing.ts';

/** The object without the fields that only the registry sets. */
function editable(object: { metadata: object; status?: unknown }): object {
  const { status: _, metadata, ...rest } = object;
  const {
    resourceVersion: _version,
    managedFields: _managers,
    ...meta
  } = metadata as { resourceVersion?: unknown; managedFields?: unknown };
  return { ...rest, metadata: meta };
}

async function run(context: Context, given: Arguments): Promise<number> {
  const { resource, name } = oneOf(given.words, edit.usage);
  checkWritable(resource);
  if (resource === instances) throw usageError('to change an instance, use label or drain');
  const object = await resource.get(context, context.namespace, name);
  const folder = mkdtempSync(join(tmpdir(), 'rollcall-edit-'));
  const file = join(folder, `${name}.yaml`);
  const before = await yamlText(editable(object), { isForTerminal: true });
  writeFileSync(file, before);
  const editor = context.env['KUBE_EDITOR'] ?? context.env['EDITOR'] ?? 'vi';
  // A shell is needed because the editor command may have arguments and quotes. The word after the script
  // is its $0, the next one its $1.
  const { status, error } = spawnSync('/bin/sh', ['-c', `${editor} "$1"`, 'sh', file], {
    stdio: 'inherit',
    env: context.env,
  });
  if (error !== undefined || status !== 0) {
    throw new CliError(`error: there was a problem with the editor "${editor}"`);
  }
  const text = readFileSync(file, 'utf8');
  if (text === before) {
    rmSync(folder, { recursive: true });
    say(context, 'Edit cancelled, no changes made.');
    return EXIT.ok;
  }
  const source = { text, locate: (line: number) => ({ file, line }) };
  // A refused file is kept, so that the user's changes are not lost.
  const fieldManager = managerOf(given, 'edit');
  await send(context, source, { mode: 'replace', dryRun: false, partial: false, fieldManager });
  rmSync(folder, { recursive: true });
  say(context, `${resource.prefix}/${name} edited`);
  return EXIT.ok;
}

export const edit: Command = {
  name: 'edit',
  summary: 'Change a declared object in an editor: KUBE_EDITOR, EDITOR, else vi',
  usage: 'edit TYPE NAME',
  takes: 'objects',
  examples: ['edit svc nginx', 'edit deployment/web'],
  options: { 'field-manager': FIELD_MANAGER },
  run,
};
