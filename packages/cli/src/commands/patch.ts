import { CliError, EXIT, usageError } from '../base/cli-error.ts';
import { type Arguments, type Command, textOption } from '../session/command.ts';
import { type Context, say } from '../session/context.ts';
import { type Step, stepped } from '../patching/json-patch.ts';
import { mergePatchOf } from '../patching/strategic-patch.ts';
import { readText } from '../session/manifest-files.ts';
import { oneOf } from '../resources/catalog.ts';
import { instances } from '../resources/instances.ts';
import { checkWritable } from '../resources/resource.ts';

type Patch = Record<string, unknown>;

async function patchOf(given: Arguments): Promise<unknown> {
  const file = textOption(given, 'patch-file');
  const text = file === undefined ? textOption(given, 'patch') : readText(file);
  if (text === undefined) {
    throw usageError('must specify --patch or --patch-file containing the contents of the patch');
  }
  const { parse } = await import('yaml');
  try {
    return parse(text) as unknown;
  } catch (error) {
    throw new CliError(`error: unable to parse "${text}": ${(error as Error).message}`);
  }
}

async function run(context: Context, given: Arguments): Promise<number> {
  const { resource, name } = oneOf(given.words, patch.usage);
  checkWritable(resource);
  if (resource === instances) throw usageError('to change an instance, use label or drain');
  const type = textOption(given, 'type') ?? 'strategic';
  if (!['strategic', 'merge', 'json'].includes(type)) {
    throw usageError(`--type must be one of [json merge strategic], not "${type}"`);
  }
  const wanted = await patchOf(given);
  const before = await resource.get(context, context.namespace, name);
  const params = { ns: context.namespace, kind: resource.names[0] ?? '', name };
  const after =
    type === 'json'
      ? await context.rollcall.call('putManifest', {
          params,
          body: JSON.stringify(stepped(before, wanted as Step[])),
        })
      : await context.rollcall.call('patchManifest', {
          params,
          body: (type === 'strategic' ? mergePatchOf(before, wanted) : wanted) as Patch,
        });
  const isSame = after.metadata.resourceVersion === before.metadata.resourceVersion;
  say(context, `${resource.prefix}/${name} patched${isSame ? ' (no change)' : ''}`);
  return EXIT.ok;
}

export const patch: Command = {
  name: 'patch',
  summary: 'Change fields of a declared object',
  usage: 'patch TYPE NAME -p PATCH [--type=strategic|merge|json]',
  takes: 'objects',
  examples: [
    `patch svc nginx -p '{"spec":{"type":"NodePort"}}'`,
    `patch svc nginx --type=json -p '[{"op":"replace","path":"/spec/ports/0/nodePort","value":30120}]'`,
  ],
  options: {
    patch: { type: 'string', short: 'p', value: 'PATCH', help: 'The patch, in JSON or YAML' },
    'patch-file': { type: 'string', value: 'FILE', help: 'A file with the patch' },
    type: {
      type: 'string',
      value: 'TYPE',
      help: 'strategic (default: ports are merged by their numbers), merge (RFC 7386) or json (RFC 6902)',
    },
  },
  run,
};
