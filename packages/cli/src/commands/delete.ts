import type { ManifestObject } from '@rollcall/client-sdk';
import type { PropagationPolicy } from '@rollcall/contract';
import { RollcallError } from '@rollcall/client-sdk/registration';
import { sleep } from '@rollcall/runtime';
import { CliError, EXIT, usageError } from '../base/cli-error.ts';
import { durationMs } from '../base/duration.ts';
import {
  type Arguments,
  type Command,
  flagOption,
  listOption,
  textOption,
} from '../session/command.ts';
import { type Context, say, warn } from '../session/context.ts';
import { selectionsOf } from '../resources/catalog.ts';
import { endpoints } from '../resources/endpoints.ts';
import { fieldFilter } from '../resources/field-selector.ts';
import { type NamedObject, namedInFiles } from '../resources/named-in-files.ts';
import { instances, instanceSpec } from '../resources/instances.ts';
import { checkWritable, isDeclared } from '../resources/resource.ts';
import { services } from '../resources/services.ts';
import { DRY_RUN, dryOf, FILES } from './apply.ts';
import { visibleLine } from '../output/untrusted.ts';
import { isNotFound } from '../session/refusal.ts';
import { FIELD_SELECTOR, SELECTING } from './selecting.ts';

/** How often to look whether an object is gone, and how long at most; ms. */
const POLL_MS = 100;
const LONGEST_WAIT_MS = 7 * 24 * 3_600_000;

/** How objects are deleted. */
interface Deletion {
  readonly dryRun: boolean;
  readonly propagationPolicy: PropagationPolicy;
  /** Monotonic ms until which to wait for what finalizers keep; undefined: not at all. */
  readonly endMs: number | undefined;
}

interface Deleted {
  readonly name: string;
  /** The uid of an object that waits for its finalizers; undefined: it is gone. */
  readonly keptUid: string | undefined;
}

async function deleteOne(
  context: Context,
  { resource, namespace, name }: NamedObject,
  { dryRun, propagationPolicy }: Deletion,
): Promise<Deleted> {
  if (resource === instances) {
    const object = await instances.get(context, namespace, name);
    const params = { ns: namespace, svc: instanceSpec(object).service, id: object.metadata.name };
    if (!dryRun) await context.rollcall.call('deregister', { params });
    return { name: object.metadata.name, keptUid: undefined };
  }
  const params = { ns: namespace, kind: resource.names[0] ?? '', name };
  const query = { dryRun, propagationPolicy };
  const { object } = await context.rollcall.call('deleteManifest', { params, query });
  const { uid, deletionTimestamp } = object.metadata;
  const isKept = deletionTimestamp !== undefined && !dryRun;
  return { name, keptUid: isKept ? uid : undefined };
}

/** Waits until an object that was deleted is gone. Throws a CliError when that takes too long. */
async function waitUntilGone(
  context: Context,
  { resource, namespace, name }: NamedObject,
  { uid, endMs }: { readonly uid: string; readonly endMs: number },
): Promise<void> {
  const { clock, signal } = context;
  for (;;) {
    try {
      const { metadata } = await resource.get(context, namespace, name);
      if (metadata.uid !== uid) return;
    } catch (error) {
      if (isNotFound(error)) return;
      throw error;
    }
    if (clock.monotonicMs() > endMs || signal.aborted) {
      const what = `the condition on ${resource.names[0]}/${visibleLine(name)}`;
      throw new CliError(`error: timed out waiting for ${what}`);
    }
    await sleep(clock, POLL_MS, signal);
  }
}

const CASCADES = new Map<string, PropagationPolicy>([
  ['background', 'Background'],
  ['foreground', 'Foreground'],
  ['orphan', 'Orphan'],
  ['true', 'Background'],
  ['false', 'Orphan'],
]);

function deletionOf({ clock }: Context, given: Arguments, dryRun: boolean): Deletion {
  const text = textOption(given, 'cascade') ?? 'background';
  const propagationPolicy = CASCADES.get(text);
  if (propagationPolicy === undefined) {
    throw usageError(
      `invalid cascade value (${text}). Must be "background", "foreground", or "orphan"`,
    );
  }
  const wait = textOption(given, 'wait') ?? 'true';
  if (wait !== 'true' && wait !== 'false')
    throw usageError(`--wait: expected true or false, got "${wait}"`);
  const timeout = durationMs(textOption(given, 'timeout') ?? '0s', 'timeout');
  const waitMs = timeout === 0 ? LONGEST_WAIT_MS : timeout;
  return {
    dryRun,
    propagationPolicy,
    endMs: wait === 'true' ? clock.monotonicMs() + waitMs : undefined,
  };
}

async function doomedOf(context: Context, given: Arguments): Promise<NamedObject[]> {
  const files = listOption(given, 'filename');
  if (files.length > 0 && (given.words.length > 0 || textOption(given, 'selector') !== undefined)) {
    throw usageError('expected either names, a selector or -f');
  }
  if (files.length > 0) return namedInFiles(context, files, flagOption(given, 'recursive'));
  const selector = textOption(given, 'selector');
  const fields = textOption(given, 'field-selector');
  const isSelected = selector !== undefined || fields !== undefined;
  const isEverything = flagOption(given, 'all') || isSelected;
  const { namespace } = context;
  const doomed: NamedObject[] = [];
  for (const { resource, names } of selectionsOf(given.words)) {
    checkWritable(resource);
    if (names.length === 0 && !isEverything) {
      throw usageError('resource(s) were provided, but no name was specified');
    }
    if (names.length > 0 && isSelected) {
      throw usageError('name cannot be provided when a selector is specified');
    }
    const hasFields = fieldFilter(resource, fields, selector);
    const all = names.length > 0 ? [] : await resource.list(context, namespace, selector);
    const found = [...names, ...all.filter((one) => isDeclared(one) && hasFields(one)).map(nameOf)];
    doomed.push(...found.map((name) => ({ resource, namespace, name })));
  }
  return doomed;
}

/** What was found is deleted if it is still there: deleting one object may delete another. What was named has to be there. */
function ignoresMissing(given: Arguments): boolean {
  const isFound = ['selector', 'field-selector'].some((name) => textOption(given, name));
  return isFound || flagOption(given, 'all') || flagOption(given, 'ignore-not-found');
}

/** Whether the Endpoints of a service that was deleted before: they go with it at once, in Kubernetes a little later. */
function wentBefore(one: NamedObject, gone: readonly NamedObject[]): boolean {
  const { resource, namespace, name } = one;
  if (resource !== endpoints) return false;
  return gone.some(
    (other) => other.resource === services && other.namespace === namespace && other.name === name,
  );
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
  const deletion = deletionOf(context, given, dry.isDry);
  const kept: { readonly one: NamedObject; readonly uid: string }[] = [];
  const gone: NamedObject[] = [];
  let exitCode: number = EXIT.ok;
  for (const one of doomed) {
    const type = one.resource.prefix;
    try {
      const { name, keptUid } = await deleteOne(context, one, deletion);
      say(context, `${type} "${name}" deleted${dry.suffix}`);
      if (keptUid === undefined) gone.push(one);
      else kept.push({ one, uid: keptUid });
    } catch (error) {
      const isMissing = error instanceof RollcallError && error.code.endsWith('_not_found');
      if (!isMissing) throw error;
      if (wentBefore(one, gone)) {
        say(context, `${type} "${one.name}" deleted${dry.suffix}`);
        continue;
      }
      if (ignoresMissing(given)) continue;
      warn(context, `Error from server (NotFound): ${error.message}`);
      exitCode = EXIT.failed;
    }
  }
  const { endMs } = deletion;
  if (endMs === undefined) return exitCode;
  for (const { one, uid } of kept) await waitUntilGone(context, one, { uid, endMs });
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
    'field-selector': FIELD_SELECTOR,
    all: { type: 'boolean', help: 'All objects of the type in the namespace' },
    'dry-run': DRY_RUN,
    cascade: {
      type: 'string',
      value: 'background|foreground|orphan',
      help: 'What happens to the objects that it owns: they go after it (default) or before it, or they stay',
    },
    wait: {
      type: 'string',
      value: 'true|false',
      help: 'Wait for what finalizers keep; default: true',
    },
    timeout: {
      type: 'string',
      value: 'DURATION',
      help: 'How long to wait, such as 30s; default: a week',
    },
    'ignore-not-found': { type: 'boolean', help: 'Exit with 0 when a name is not found' },
  },
  run,
};
