import type { ManifestObject } from '@rollcall/client-sdk';
import { RollcallError } from '@rollcall/client-sdk/registration';
import { EXIT, usageError } from '../base/cli-error.ts';
import {
  type Arguments,
  type Command,
  flagOption,
  listOption,
  textOption,
} from '../session/command.ts';
import { type Context, say, warn } from '../session/context.ts';
import { selectionsOf } from '../resources/catalog.ts';
import { type NamedObject, namedInFiles } from '../resources/named-in-files.ts';
import { instances, instanceSpec } from '../resources/instances.ts';
import { checkWritable } from '../resources/resource.ts';
import { DRY_RUN, dryOf, FILES } from './apply.ts';
import { SELECTING } from './selecting.ts';

async function deleteOne(
  context: Context,
  { resource, namespace, name }: NamedObject,
  dryRun: boolean,
): Promise<string> {
  if (resource === instances) {
    const object = await instances.get(context, namespace, name);
    const params = { ns: namespace, svc: instanceSpec(object).service, id: object.metadata.name };
    if (!dryRun) await context.rollcall.call('deregister', { params });
    return object.metadata.name;
  }
  const params = { ns: namespace, kind: resource.names[0] ?? '', name };
  await context.rollcall.call('deleteManifest', { params, query: { dryRun } });
  return name;
}

async function doomedOf(context: Context, given: Arguments): Promise<NamedObject[]> {
  const files = listOption(given, 'filename');
  if (files.length > 0 && (given.words.length > 0 || textOption(given, 'selector') !== undefined)) {
    throw usageError('expected either names, a selector or -f');
  }
  if (files.length > 0) return namedInFiles(context, files, flagOption(given, 'recursive'));
  const selector = textOption(given, 'selector');
  const isEverything = flagOption(given, 'all') || selector !== undefined;
  const { namespace } = context;
  const doomed: NamedObject[] = [];
  for (const { resource, names } of selectionsOf(given.words)) {
    checkWritable(resource);
    if (names.length === 0 && !isEverything) {
      throw usageError('resource(s) were provided, but no name was specified');
    }
    const found =
      names.length > 0
        ? names
        : (await resource.list(context, namespace, selector)).filter(isDeletable).map(nameOf);
    doomed.push(...found.map((name) => ({ resource, namespace, name })));
  }
  return doomed;
}

/** Implicit services disappear with their instances, and derived objects with their service. */
function isDeletable({ kind, metadata }: ManifestObject): boolean {
  const isDerived = ['Endpoints', 'EndpointSlice'].includes(kind) && metadata.uid === undefined;
  return !isDerived && metadata.annotations?.['rollcall.dev/implicit'] === undefined;
}

/** An instance's id is unique only within its service. */
function nameOf(object: ManifestObject): string {
  const { name } = object.metadata;
  return object.kind === 'Instance' ? `${instanceSpec(object).service}/${name}` : name;
}

async function run(context: Context, given: Arguments): Promise<number> {
  const doomed = await doomedOf(context, given);
  const dry = dryOf(given);
  if (doomed.length === 0) say(context, 'No resources found');
  let exitCode: number = EXIT.ok;
  for (const one of doomed) {
    const type = one.resource.prefix;
    try {
      const name = await deleteOne(context, one, dry.isDry);
      say(context, `${type} "${name}" deleted${dry.suffix}`);
    } catch (error) {
      const isMissing = error instanceof RollcallError && error.code.endsWith('_not_found');
      if (!isMissing) throw error;
      if (flagOption(given, 'ignore-not-found')) continue;
      warn(context, `Error from server (NotFound): ${error.message}`);
      exitCode = EXIT.failed;
    }
  }
  return exitCode;
}

export const remove: Command = {
  name: 'delete',
  summary: 'Delete declared objects, or take instances off the roll',
  usage: 'delete TYPE NAME... | TYPE/NAME... | TYPE -l SELECTOR | TYPE --all | -f FILE',
  takes: 'objects',
  examples: [
    'delete svc nginx',
    'delete -f svc.yaml',
    'delete svc -l app=nginx',
    'delete instance nginx/a',
  ],
  options: {
    ...FILES,
    selector: SELECTING.selector,
    all: { type: 'boolean', help: 'All objects of the type in the namespace' },
    'dry-run': DRY_RUN,
    'ignore-not-found': { type: 'boolean', help: 'Exit with 0 when a name is not found' },
  },
  run,
};
