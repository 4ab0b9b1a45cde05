import { RollcallError } from '@rollcall/client-sdk/registration';
import { sleep } from '@rollcall/runtime';
import { CliError, EXIT, usageError } from '../base/cli-error.ts';
import {
  type Arguments,
  type Command,
  flagOption,
  type Options,
  textOption,
} from '../session/command.ts';
import { type Context, say, warn } from '../session/context.ts';
import { durationMs } from '../base/duration.ts';
import { instances, instanceSpec, instanceStatus } from '../resources/instances.ts';

const LOOK_EVERY_MS = 100;

/** Waits until the instance gets no new calls; on a terminal, shows progress. */
async function settled(context: Context, name: string, withinMs: number): Promise<void> {
  const { clock, err, signal } = context;
  const endMs = clock.monotonicMs() + withinMs;
  const isDrained = async () =>
    instanceStatus(await instances.get(context, context.namespace, name)).tier === null;
  for (let dots = 1; !(await isDrained()); dots++) {
    if (clock.monotonicMs() > endMs || signal.aborted) {
      throw new CliError(`error: timed out waiting for instance ${name} to be taken out of use`);
    }
    if (err.isDecorated) err.pass(`\rwaiting${'.'.repeat(dots % 10)}\u001b[K`);
    await sleep(clock, LOOK_EVERY_MS, signal);
  }
  if (err.isDecorated) err.pass('\r\u001b[K');
}

/** Where the words of the command name an instance, alone or after its type. */
async function instanceOf(
  context: Context,
  { words }: Arguments,
  usage: string,
): Promise<{ readonly id: string; readonly name: string; readonly params: InstanceParams }> {
  const [first = '', second] = words;
  const isTyped = second !== undefined && instances.names.includes(first);
  const name = (isTyped ? second : first).replace(/^(instances?|pods?|po)\//, '');
  const isAlone = words.length === (isTyped ? 2 : 1);
  if (name === '' || !isAlone) {
    throw usageError(`expected an instance, as in: rollcall ${usage}`);
  }
  const object = await instances.get(context, context.namespace, name);
  const id = object.metadata.name;
  return { id, name, params: { ns: context.namespace, svc: instanceSpec(object).service, id } };
}

interface InstanceParams {
  readonly ns: string;
  readonly svc: string;
  readonly id: string;
}

async function takeOut(context: Context, given: Arguments, params: InstanceParams): Promise<void> {
  const until = textOption(given, 'for');
  const body = {
    status: 'draining' as const,
    author: textOption(given, 'author') ?? context.env['USER'] ?? 'rollcall drain',
    reason: textOption(given, 'reason') ?? 'drained by command',
    ...(until === undefined ? {} : { forMs: durationMs(until, 'for') }),
  };
  await context.rollcall.call('putOverride', { params, body });
}

/** When all instances of a service drain, callers go on calling those that still serve. */
async function warnOfLast(context: Context, { ns, svc }: InstanceParams): Promise<void> {
  const { roll } = await context.rollcall.call('readService', { params: { ns, svc } });
  if (roll.some(({ tier }) => tier !== null) || !roll.some(({ serving }) => serving)) return;
  const what = `no other instance of ${svc} is in use, so callers go on calling those that drain`;
  warn(context, `Warning: ${what}`);
}

/** An instance that is in use already is put back without an error. @returns whether it was out of use */
async function putBack(context: Context, params: InstanceParams): Promise<boolean> {
  try {
    await context.rollcall.call('deleteOverride', { params });
    return true;
  } catch (error) {
    if (error instanceof RollcallError && error.code === 'override_not_found') return false;
    throw error;
  }
}

const TAKING_OUT: Options = {
  reason: { type: 'string', value: 'TEXT', help: 'The reason, which describe shows' },
  author: { type: 'string', value: 'NAME', help: 'Who does it; default: the user of this process' },
  for: {
    type: 'string',
    value: 'DURATION',
    help: 'Put it back into use after this time; default: never',
  },
};

export const drain: Command = {
  name: 'drain',
  summary: 'Take an instance out of use without stopping it; requests in progress continue',
  usage: 'drain [SERVICE/]INSTANCE [--undo]',
  takes: 'instances',
  examples: [
    'drain nginx/a --reason="new kernel"',
    'drain nginx/a --for=10m',
    'drain nginx/a --undo',
  ],
  options: {
    undo: { type: 'boolean', help: 'Put it back into use' },
    ...TAKING_OUT,
    timeout: { type: 'string', value: 'DURATION', help: 'How long to wait for it; default: 30s' },
  },
  run: async (context, given) => {
    const { id, name, params } = await instanceOf(context, given, 'drain nginx/a');
    if (flagOption(given, 'undo')) {
      await putBack(context, params);
      say(context, `instance/${id} back in use`);
      return EXIT.ok;
    }
    const withinMs = durationMs(textOption(given, 'timeout') ?? '30s', 'timeout');
    await takeOut(context, given, params);
    await settled(context, name, withinMs);
    say(context, `instance/${id} drained`);
    await warnOfLast(context, params);
    return EXIT.ok;
  },
};

export const cordon: Command = {
  name: 'cordon',
  summary: 'Take an instance out of use, without waiting until no new call reaches it',
  usage: 'cordon [SERVICE/]INSTANCE',
  takes: 'instances',
  examples: ['cordon nginx/a --reason="new kernel"'],
  options: TAKING_OUT,
  run: async (context, given) => {
    const { id, params } = await instanceOf(context, given, 'cordon nginx/a');
    await takeOut(context, given, params);
    say(context, `instance/${id} cordoned`);
    return EXIT.ok;
  },
};

export const uncordon: Command = {
  name: 'uncordon',
  summary: 'Put an instance back into use after drain or cordon',
  usage: 'uncordon [SERVICE/]INSTANCE',
  takes: 'instances',
  examples: ['uncordon nginx/a'],
  options: {},
  run: async (context, given) => {
    const { id, params } = await instanceOf(context, given, 'uncordon nginx/a');
    const wasOut = await putBack(context, params);
    say(context, `instance/${id} ${wasOut ? 'uncordoned' : 'already uncordoned'}`);
    return EXIT.ok;
  },
};
