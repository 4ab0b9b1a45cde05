import { RollcallError } from '@rollcall/client-sdk/registration';
import { CliError, EXIT } from '../base/cli-error.ts';
import { type Arguments, type Command, flagOption, listOption } from '../session/command.ts';
import { type Context, say } from '../session/context.ts';
import { readManifestFiles } from '../session/manifest-files.ts';
import { faultsText } from '../session/refusal.ts';
import { namedIn } from '../resources/named-in-files.ts';
import { dryOf, replaceFromFiles, WRITING } from './apply.ts';
import { isForStatus, managerOf, SUBRESOURCE } from './writing.ts';

/** `--subresource=status`: one object after the other, since each status is written by itself. */
async function replaceStatus(context: Context, given: Arguments): Promise<number> {
  const files = listOption(given, 'filename');
  const source = await readManifestFiles(context, files, flagOption(given, 'recursive'));
  const dry = dryOf(given);
  const query = { dryRun: dry.isDry, fieldManager: managerOf(given, 'replace') };
  for (const { resource, namespace, name, written } of await namedIn(context, source)) {
    const params = { ns: namespace, kind: resource.names[0] ?? '', name };
    const body = JSON.stringify(written);
    try {
      await context.rollcall.call('putStatus', { params, query, body });
    } catch (error) {
      if (!(error instanceof RollcallError) || error.faults.length === 0) throw error;
      throw new CliError(faultsText(error.faults, { locate: undefined, mode: 'replace' }));
    }
    say(context, `${resource.prefix}/${name} replaced${dry.suffix}`);
  }
  return EXIT.ok;
}

export const replace: Command = {
  name: 'replace',
  summary: 'Replace declared objects with the objects in files',
  usage: 'replace -f FILE [--subresource=status]',
  examples: ['replace -f svc.yaml', 'replace -f svc.yaml --subresource=status'],
  options: { ...WRITING, subresource: SUBRESOURCE },
  run: (context, given) =>
    isForStatus(given) ? replaceStatus(context, given) : replaceFromFiles(context, given),
};
