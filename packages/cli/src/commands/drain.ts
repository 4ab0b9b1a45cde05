import { RollcallError } from '@rollcall/client-sdk';
import { sleep } from '@rollcall/runtime';
import { CliError, EXIT, usageError } from '../base/cli-error.ts';
import { type Arguments, type Command, flagOption, textOption } from '../session/command.ts';
import { type Context, say } from '../session/context.ts';
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

async function run(context: Context, given: Arguments): Promise<number> {
  const [first = '', second] = given.words;
  const isTyped = second !== undefined && instances.names.includes(first);
  const name = (isTyped ? second : first).replace(/^(instances?|pods?|po)\//, '');
  if (name === '') throw usageError('expected an instance, as in: rollcall drain nginx/a');
  const object = await instances.get(context, context.namespace, name);
  const { namespace } = context;
  const params = { ns: namespace, svc: instanceSpec(object).service, id: object.metadata.name };
  if (flagOption(given, 'undo')) {
    await context.rollcall.call('deleteOverride', { params }).catch((error: unknown) => {
      if (error instanceof RollcallError && error.code === 'override_not_found') return undefined;
      throw error;
    });
    say(context, `instance/${object.metadata.name} back in use`);
    return EXIT.ok;
  }
  const until = textOption(given, 'for');
  const body = {
    status: 'draining' as const,
    author: textOption(given, 'author') ?? context.env['USER'] ?? 'rollcall drain',
    reason: textOption(given, 'reason') ?? 'drained by command',
    ...(until === undefined ? {} : { forMs: durationMs(until, 'for') }),
  };
  await context.rollcall.call('putOverride', { params, body });
  await settled(context, name, durationMs(textOption(given, 'timeout') ?? '30s', 'timeout'));
  say(context, `instance/${object.metadata.name} drained`);
  return EXIT.ok;
}

export const drain: Command = {
  name: 'drain',
  aliases: ['cordon'],
  summary: 'Take an instance out of use without stopping it; requests in progress continue',
  usage: 'drain [SERVICE/]INSTANCE [--undo]',
  examples: [
    'drain nginx/a --reason="new kernel"',
    'drain nginx/a --for=10m',
    'drain nginx/a --undo',
  ],
  options: {
    undo: { type: 'boolean', help: 'Put it back into use' },
    reason: { type: 'string', value: 'TEXT', help: 'The reason, which describe shows' },
    author: {
      type: 'string',
      value: 'NAME',
      help: 'Who does it; default: the user of this process',
    },
    for: {
      type: 'string',
      value: 'DURATION',
      help: 'Put it back into use after this time; default: never',
    },
    timeout: { type: 'string', value: 'DURATION', help: 'How long to wait for it; default: 30s' },
  },
  run,
};
