import type { RegisterOptions, Registration } from '@rollcall/client-sdk';
import { sleep } from '@rollcall/runtime';
import { CliError, usageError } from '../base/cli-error.ts';
import {
  type Arguments,
  type Command,
  flagOption,
  listOption,
  numberOption,
  textOption,
} from '../session/command.ts';
import { type Context, warn } from '../session/context.ts';
import { durationMs } from '../base/duration.ts';
import { environmentOf } from '../base/environment.ts';
import { Child } from '../supervised/child.ts';
import { listening, type Port, portOf } from '../supervised/port.ts';
import { keepSmall } from '../supervised/small-process.ts';

/** How long to wait for the services whose addresses are put in the environment, in ms. */
const SERVICES_WAIT_MS = 2_000;

/** The parsed options; parsed before anything is started. */
interface Plan {
  readonly register: RegisterOptions;
  readonly ports: readonly Port[];
  /** Host on which its ports are checked. */
  readonly host: string;
  readonly startTimeoutMs: number;
  readonly drainMs: number;
  readonly graceMs: number;
  readonly waits: boolean;
  readonly isQuiet: boolean;
}

function labelsOf(texts: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    texts
      .flatMap((text) => text.split(','))
      .map((pair) => {
        const equals = pair.indexOf('=');
        if (equals < 1) throw usageError(`--label: expected KEY=VALUE, got "${pair}"`);
        return [pair.slice(0, equals), pair.slice(equals + 1)];
      }),
  );
}

function registerOptions(context: Context, given: Arguments, ports: readonly Port[]) {
  const service = textOption(given, 'service');
  if (service === undefined) throw usageError('--service: expected the name of the service');
  const id = textOption(given, 'id');
  const address = textOption(given, 'address');
  const weight = numberOption(given, 'weight');
  const zone = textOption(given, 'zone');
  const ttl = textOption(given, 'ttl');
  return {
    service,
    namespace: context.namespace,
    labels: labelsOf(listOption(given, 'label')),
    status: 'starting',
    ports: Object.fromEntries(ports.map(({ name, ...port }) => [name, port])),
    ...(id === undefined ? {} : { id }),
    ...(address === undefined ? {} : { address }),
    ...(weight === undefined ? {} : { weight }),
    ...(zone === undefined ? {} : { zone }),
    ...(ttl === undefined ? {} : { ttlMs: durationMs(ttl, 'ttl') }),
    onSuperseded: (error) => warn(context, `rollcall: ${error.message}`),
  } satisfies RegisterOptions;
}

function planOf(context: Context, given: Arguments): Plan {
  const ports = listOption(given, 'port').map(portOf);
  const register = registerOptions(context, given, ports);
  if (ports.length === 0) throw usageError('--port: expected at least one port');
  if (given.rest.length === 0)
    throw usageError('expected a command after --, as in: run --service web --port 80 -- COMMAND');
  const duration = (name: string, otherwise: string) =>
    durationMs(textOption(given, name) ?? otherwise, name);
  return {
    register,
    ports,
    host: textOption(given, 'address') ?? '127.0.0.1',
    startTimeoutMs: duration('start-timeout', '60s'),
    drainMs: duration('drain', '500ms'),
    graceMs: duration('grace', '30s'),
    waits: !flagOption(given, 'no-wait'),
    isQuiet: flagOption(given, 'quiet'),
  };
}

/** The services of the namespace; none, with a warning, when the registry does not answer in time. */
async function servicesOf(context: Context) {
  const { rollcall, namespace, signal, clock } = context;
  const [late, known] = [new AbortController(), new AbortController()];
  const over = AbortSignal.any([signal, known.signal]);
  void sleep(clock, SERVICES_WAIT_MS, over).then(() => late.abort());
  try {
    const request = { params: { ns: namespace }, signal: late.signal };
    return (await rollcall.call('listServices', request)).services;
  } catch {
    const what = 'the services are not known yet: their environment variables are missing';
    warn(context, `rollcall: ${what}`);
    return [];
  } finally {
    known.abort();
  }
}

/** Addresses of services, as Kubernetes passes them to a container, and the process's own identity on the roll. */
async function variables(context: Context, { register, ports }: Plan): Promise<NodeJS.ProcessEnv> {
  const { namespace } = context;
  const services = environmentOf(await servicesOf(context));
  const [first] = ports;
  return {
    ...context.env,
    ...services,
    ROLLCALL_URL: context.registryUrl,
    ROLLCALL_NAMESPACE: namespace,
    ROLLCALL_SERVICE: register.service,
    ...(first === undefined || context.env['PORT'] !== undefined
      ? {}
      : { PORT: String(first.port) }),
  };
}

async function run(context: Context, given: Arguments): Promise<number> {
  const plan = planOf(context, given);
  const env = await variables(context, plan);
  const ended = new AbortController();
  const signal = AbortSignal.any([ended.signal, context.signal]);
  const registering = context.rollcall.register({ ...plan.register, signal });
  // Options that the registration refuses fail immediately: then nothing must be started.
  await Promise.race([registering, Promise.resolve()]);
  const child = new Child(given.rest, env);
  child.signal.addEventListener('abort', () => ended.abort());
  let registration: Registration;
  try {
    registration = await registering;
  } catch (error) {
    const isOver = child.hasEnded || context.signal.aborted;
    const code = await child.terminate(context.clock, plan.graceMs);
    if (isOver) return told(context, child, code);
    throw error;
  }
  return told(context, child, await attend(context, plan, { child, registration }));
}

/** Prints why a command could not be started. */
function told(context: Context, child: Child, code: number): number {
  if (child.failure !== '') warn(context, `error: ${child.failure}`);
  return code;
}

interface Attended {
  readonly child: Child;
  readonly registration: Registration;
}

/** Runs from the first listening port until the process has ended and is off the roll. */
async function attend(context: Context, plan: Plan, attended: Attended): Promise<number> {
  const { clock, signal } = context;
  const { ports, host, startTimeoutMs: withinMs } = plan;
  const { child, registration } = attended;
  const tell = (line: string) => {
    if (!plan.isQuiet) warn(context, `rollcall: ${line}`);
  };
  const name = `${registration.service}/${registration.id}`;
  const over = AbortSignal.any([child.signal, signal]);
  const onSlow = (port: number) => tell(`waiting until port ${port} at ${host} answers`);
  const looking = { clock, withinMs, signal: over, onSlow };
  const isUp = !plan.waits || (await listening(ports, host, looking));
  if (isUp && !over.aborted) {
    await registration.setStatus('up');
    tell(`${name} is up`);
    const collecting = keepSmall(clock);
    await aborted(over);
    collecting?.cancel();
  } else if (!over.aborted) {
    await child.terminate(clock, plan.graceMs);
    await registration.close();
    const listed = ports.map(({ port }) => port).join(', ');
    const what = `did not listen on ${listed} at ${host} within ${withinMs} ms`;
    throw new CliError(`error: ${name} ${what}`);
  }
  if (!child.hasEnded) {
    tell(`${name} drains`);
    // If the registry is unreachable, the process must end anyway.
    await registration.drain({ settleMs: plan.drainMs }).catch((error: Error) => {
      warn(context, `rollcall: ${error.message}`);
    });
    await child.terminate(clock, plan.graceMs);
  }
  const code = await child.ended;
  await registration.close();
  tell(`${name} is off the roll; its command ended with ${code}`);
  return code;
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

export const runCommand: Command = {
  name: 'run',
  summary:
    'Run any process as an instance: registers it, heartbeats and holds for it, drains and deregisters it',
  usage:
    'run --service NAME --port [NAME=]PORT[:CONTAINERPORT] [--label K=V] -- COMMAND [ARGUMENT...]',
  isLongRunning: true,
  examples: [
    'run --service nginx --port 3001:80 --label app=nginx -- nginx -g "daemon off;"',
    'run --service web --port http=8080 --id a -- python3 -m http.server 8080',
  ],
  options: {
    service: { type: 'string', value: 'NAME', help: 'Service to register under' },
    port: {
      type: 'string',
      multiple: true,
      value: 'PORT',
      help: 'Port it listens on, [NAME=]PORT[:CONTAINERPORT][/PROTOCOL]; repeat for several',
    },
    label: {
      type: 'string',
      short: 'l',
      multiple: true,
      value: 'K=V',
      help: 'A label; repeat for several',
    },
    id: {
      type: 'string',
      value: 'ID',
      help: 'Instance id; default: made from host and process',
    },
    address: {
      type: 'string',
      value: 'ADDRESS',
      help: 'Address at which others reach it; default: the address that the registry sees',
    },
    zone: { type: 'string', value: 'ZONE', help: 'Failure zone' },
    weight: {
      type: 'string',
      value: 'WEIGHT',
      help: 'Share of traffic, 0 to 65535; default: 100',
    },
    ttl: { type: 'string', value: 'DURATION', help: 'TTL of its lease; default: 10s' },
    'start-timeout': {
      type: 'string',
      value: 'DURATION',
      help: 'How long its ports may take to answer; default: 60s',
    },
    'no-wait': {
      type: 'boolean',
      help: 'Register it as up at once, without waiting for its ports',
    },
    drain: {
      type: 'string',
      value: 'DURATION',
      help: 'How long it drains before it is stopped, so that callers notice; default: 500ms',
    },
    grace: {
      type: 'string',
      value: 'DURATION',
      help: 'How long it may take to stop before it is killed; default: 30s',
    },
    quiet: { type: 'boolean', short: 'q', help: 'Print nothing about the registration' },
  },
  run,
};
