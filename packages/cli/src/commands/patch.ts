import type { ManifestObject } from '@rollcall/client-sdk';
import { RollcallError } from '@rollcall/client-sdk/registration';
import { CliError, EXIT, usageError } from '../base/cli-error.ts';
import { type Arguments, type Command, textOption } from '../session/command.ts';
import { type Context, say } from '../session/context.ts';
import { type Step, stepped } from '../patching/json-patch.ts';
import { mergePatchOf } from '../patching/strategic-patch.ts';
import { readText } from '../session/manifest-files.ts';
import { oneOf } from '../resources/catalog.ts';
import { instances } from '../resources/instances.ts';
import { printed } from '../resources/printer.ts';
import { checkWritable, type Resource } from '../resources/resource.ts';
import { DRY_RUN, dryOf } from './apply.ts';
import { OUTPUT } from './selecting.ts';
import { FIELD_MANAGER, isForStatus, managerOf, SUBRESOURCE } from './writing.ts';

/** How often a patch is computed again because somebody else wrote meanwhile. */
const TRIES = 5;

type Patch = Record<string, unknown>;

/** What is patched, and how. */
interface Patching {
  readonly resource: Resource;
  readonly name: string;
  readonly type: string;
  readonly wanted: unknown;
  readonly isForStatus: boolean;
  readonly query: { readonly dryRun: boolean; readonly fieldManager: string };
}

/** What the patch has to be: the steps of a JSON patch, else fields. */
function checkForm(text: string, wanted: unknown, type: string): void {
  const isList = Array.isArray(wanted);
  const isRight = type === 'json' ? isList : typeof wanted === 'object' && wanted && !isList;
  if (isRight) return;
  const expected = type === 'json' ? 'a list of steps' : 'an object with the fields to change';
  throw new CliError(`error: unable to parse "${text}": expected ${expected}`);
}

async function patchOf(given: Arguments, type: string): Promise<unknown> {
  const file = textOption(given, 'patch-file');
  const text = file === undefined ? textOption(given, 'patch') : readText(file);
  if (text === undefined) {
    throw usageError('must specify --patch or --patch-file containing the contents of the patch');
  }
  const { parse } = await import('yaml');
  let wanted: unknown;
  try {
    wanted = parse(text) as unknown;
  } catch (error) {
    throw new CliError(`error: unable to parse "${text}": ${(error as Error).message}`);
  }
  checkForm(text, wanted, type);
  return wanted;
}

/** Sends what the patch makes of the object; a merge patch is sent as it is. */
function sendPatch(
  { rollcall, namespace }: Context,
  before: ManifestObject,
  { resource, name, type, wanted, isForStatus: isStatus, query }: Patching,
): Promise<ManifestObject> {
  const params = { ns: namespace, kind: resource.names[0] ?? '', name };
  if (type === 'json') {
    if (before.kind === 'Secret') checkWholeContent(wanted);
    const body = JSON.stringify(stepped(before, wanted as Step[]));
    return rollcall.call(isStatus ? 'putStatus' : 'putManifest', { params, query, body });
  }
  const body = (
    type === 'strategic' ? versioned(mergePatchOf(before, wanted), before) : wanted
  ) as Patch;
  return rollcall.call(isStatus ? 'patchStatus' : 'patchManifest', { params, query, body });
}

/** What a Secret holds is not shown, so there is nothing in which a step could find a part of it. */
function checkWholeContent(steps: unknown): void {
  const places = (Array.isArray(steps) ? steps : []).flatMap((step: unknown) => {
    const { path, from } = Object(step) as Partial<Step>;
    return [path, from];
  });
  const part = places.find((one) => /^\/(data|stringData)\//.test(String(one)));
  if (part === undefined) return;
  throw usageError(`--patch: ${part}: the content of a Secret is not shown: use --type=merge`);
}

/** A computed patch is one of this version only: its lists hold what others wrote. */
function versioned(patch: unknown, { metadata }: ManifestObject): unknown {
  if (typeof patch !== 'object' || patch === null) return patch;
  const own = (patch as { readonly metadata?: object }).metadata;
  const { resourceVersion } = metadata;
  return { ...patch, metadata: { resourceVersion, ...own } };
}

async function patchedObject(
  context: Context,
  patching: Patching,
): Promise<{ readonly before: ManifestObject; readonly after: ManifestObject }> {
  for (let tries = 1; ; tries++) {
    const before = await patching.resource.get(context, context.namespace, patching.name);
    try {
      return { before, after: await sendPatch(context, before, patching) };
    } catch (error) {
      const isConflict = error instanceof RollcallError && error.code === 'object_changed';
      if (!isConflict || tries === TRIES) throw error;
    }
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
  const dry = dryOf(given);
  const { before, after } = await patchedObject(context, {
    resource,
    name,
    type,
    wanted: await patchOf(given, type),
    isForStatus: isForStatus(given),
    query: { dryRun: dry.isDry, fieldManager: managerOf(given, 'patch') },
  });
  const format = textOption(given, 'output');
  if (format !== undefined) {
    const options = { format, showsNamespace: false, showsLabels: false, hasHeaders: true };
    const terminal = { nowMs: context.clock.wallMs(), isForTerminal: context.out.isTerminal };
    const one = { isQualified: false, isSingle: true };
    context.out.pass(await printed([after], resource, { ...options, ...one, ...terminal }));
    return EXIT.ok;
  }
  const isSame = after.metadata.resourceVersion === before.metadata.resourceVersion;
  say(context, `${resource.prefix}/${name} patched${dry.suffix}${isSame ? ' (no change)' : ''}`);
  return EXIT.ok;
}

export const patch: Command = {
  name: 'patch',
  summary: 'Change fields of a declared object',
  usage: 'patch TYPE NAME -p PATCH [--type=strategic|merge|json] [--subresource=status]',
  takes: 'objects',
  examples: [
    `patch svc nginx -p '{"spec":{"type":"NodePort"}}'`,
    `patch svc nginx --type=json -p '[{"op":"replace","path":"/spec/ports/0/nodePort","value":30120}]'`,
    `patch svc nginx --subresource=status -p '{"status":{"loadBalancer":{"ingress":[{"ip":"203.0.113.7"}]}}}'`,
  ],
  options: {
    patch: { type: 'string', short: 'p', value: 'PATCH', help: 'The patch, in JSON or YAML' },
    'patch-file': { type: 'string', value: 'FILE', help: 'A file with the patch' },
    type: {
      type: 'string',
      value: 'TYPE',
      help: 'strategic (default: ports are merged by their numbers), merge (RFC 7386) or json (RFC 6902)',
    },
    subresource: SUBRESOURCE,
    'field-manager': FIELD_MANAGER,
    'dry-run': DRY_RUN,
    output: OUTPUT,
  },
  run,
};
