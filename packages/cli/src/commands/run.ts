import { type ChildProcess, spawn } from 'node:child_process';
import { connect } from 'node:net';
import type { Registration } from '@rollcall/client-sdk';
import { CliError, usageError } from '../cli-error.ts';
import { type Arguments, type Command, flagOption, listOption, textOption } from '../command.ts';
import { type Context, warn } from '../context.ts';
import { environmentOf } from '../environment.ts';
import { durationMs } from './drain.ts';

const LOOK_EVERY_MS = 50;
/** How long to wait for the services whose addresses go into the environment, in ms. */
const SERVICES_WAIT_MS = 2_000;
/** Exit code of a process that a signal ended is this and the signal's number, as shells have it. */
const BY_SIGNAL = 128;
const SIGNALS = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15, SIGKILL: 9, SIGSEGV: 11, SIGABRT: 6 } as const;

interface Port {
  readonly name: string;
  readonly port: number;
  readonly containerPort?: number;
  readonly protocol: 'TCP' | 'UDP' | 'SCTP';
}

/** `80`, `http=3001`, `http=3001:80/TCP`: name, where it listens, the number that manifests know it by, protocol. */
export function portOf(text: string, index: number): Port {
  const [, name, port, containerPort, protocol = 'TCP'] =
    /^(?:([a-z0-9-]+)=)?(\d{1,5})(?::(\d{1,5}))?(?:\/(TCP|UDP|SCTP))?$/i.exec(text) ?? [];
  if (port === undefined) {
    throw usageError(`--port: expected [NAME=]PORT[:CONTAINERPORT][/PROTOCOL], got "${text}"`);
  }
  return {
    name: name ?? (index === 0 ? 'http' : `port-${port}`),
    port: Number(port),
    ...(containerPort === undefined ? {} : { containerPort: Number(containerPort) }),
    protocol: protocol.toUpperCase() as Port['protocol'],
  };
}

export function labelsOf(texts: readonly string[]): Record<string, string> {
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

/** Addresses of services as Kubernetes gives them to a container, and who the process is on the roll. */
async function variables(
  context: Context,
  own: { readonly service: string; readonly ports: readonly Port[] },
): Promise<NodeJS.ProcessEnv> {
  const { rollcall, namespace, signal, clock } = context;
  const catalog = rollcall.catalog({ namespace });
  const late = new AbortController();
  void clock.pause(SERVICES_WAIT_MS, signal).then(() => late.abort());
  try {
    await catalog.ready({ signal: late.signal });
  } catch {
    warn(
      context,
      'rollcall: the services are not known yet: their environment variables are missing',
    );
  }
  const services = environmentOf(catalog, namespace);
  catalog.close();
  const [first] = own.ports;
  return {
    ...context.env,
    ...services,
    ROLLCALL_URL: context.registryUrl,
    ROLLCALL_NAMESPACE: namespace,
    ROLLCALL_SERVICE: own.service,
    ...(first === undefined || context.env['PORT'] !== undefined
      ? {}
      : { PORT: String(first.port) }),
  };
}

/** Whether a TCP port of the process answers. */
function answers(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const end = (is: boolean) => {
      socket.destroy();
      resolve(is);
    };
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
  });
}

/** Waits until every TCP port listens. False: the process ended first, or the time is over. */
async function listening(
  { clock }: Context,
  child: Child,
  given: { readonly host: string; readonly ports: readonly Port[]; readonly withinMs: number },
): Promise<boolean> {
  const endMs = clock.nowMs() + given.withinMs;
  for (const { port, protocol } of given.ports) {
    if (protocol !== 'TCP') continue;
    while (!(await answers(given.host, port))) {
      if (child.hasEnded || clock.nowMs() > endMs) return false;
      await clock.pause(LOOK_EVERY_MS);
    }
  }
  return !child.hasEnded;
}

/** The command's process and how it ended. */
class Child {
  readonly process: ChildProcess;
  /** Exit code, or that of the signal. */
  readonly ended: Promise<number>;
  hasEnded = false;

  constructor(command: readonly string[], env: NodeJS.ProcessEnv) {
    const [file = '', ...rest] = command;
    this.process = spawn(file, rest, { env, stdio: 'inherit' });
    this.ended = new Promise((resolve) => {
      this.process.once('error', (error: NodeJS.ErrnoException) => {
        process.stderr.write(`rollcall: ${file}: ${error.message}\n`);
        this.#end(resolve, error.code === 'ENOENT' ? 127 : 126);
      });
      this.process.once('exit', (code, signal) => {
        const number = SIGNALS[(signal ?? 'SIGTERM') as keyof typeof SIGNALS] ?? 0;
        this.#end(resolve, code ?? BY_SIGNAL + number);
      });
    });
  }

  #end(resolve: (code: number) => void, code: number): void {
    this.hasEnded = true;
    resolve(code);
  }
}

async function run(context: Context, given: Arguments): Promise<number> {
  const service = textOption(given, 'service');
  if (service === undefined) throw usageError('--service: expected the name of the service');
  if (given.rest.length === 0)
    throw usageError('expected a command behind --, as in: run --service web --port 80 -- COMMAND');
  const ports = listOption(given, 'port').map(portOf);
  if (ports.length === 0) throw usageError('--port: expected at least one port');
  const address = textOption(given, 'address');
  const id = textOption(given, 'id');
  const weight = textOption(given, 'weight');
  const zone = textOption(given, 'zone');
  const ttl = textOption(given, 'ttl');
  const labels = labelsOf(listOption(given, 'label'));
  const env = await variables(context, { service, ports });
  const child = new Child(given.rest, env);
  const registering = context.rollcall.register({
    service,
    namespace: context.namespace,
    labels,
    status: 'starting',
    ports: Object.fromEntries(ports.map(({ name, ...port }) => [name, port])),
    ...(id === undefined ? {} : { id }),
    ...(address === undefined ? {} : { address }),
    ...(weight === undefined ? {} : { weight: Number(weight) }),
    ...(zone === undefined ? {} : { zone }),
    ...(ttl === undefined ? {} : { ttlMs: durationMs(ttl, 'ttl') }),
    onSuperseded: (error) => warn(context, `rollcall: ${error.message}`),
  });
  const registration = await registering.catch(async (error: unknown) => {
    child.process.kill('SIGTERM');
    await child.ended;
    throw error;
  });
  return attend(context, given, { child, registration, ports, host: address ?? '127.0.0.1' });
}

interface Attended {
  readonly child: Child;
  readonly registration: Registration;
  readonly ports: readonly Port[];
  readonly host: string;
}

/** From the first port that answers until the process has ended and is off the roll. */
async function attend(context: Context, given: Arguments, attended: Attended): Promise<number> {
  const { child, registration, ports, host } = attended;
  const isQuiet = flagOption(given, 'quiet');
  const tell = (line: string) => {
    if (!isQuiet) warn(context, `rollcall: ${line}`);
  };
  const name = `${registration.service}/${registration.id}`;
  const withinMs = durationMs(textOption(given, 'start-timeout') ?? '60s', 'start-timeout');
  const leaving = (async () => {
    await aborted(context.signal);
    if (child.hasEnded) return;
    tell(`${name} drains`);
    await registration.drain({
      settleMs: durationMs(textOption(given, 'drain') ?? '500ms', 'drain'),
    });
    child.process.kill('SIGTERM');
    await context.clock.pause(durationMs(textOption(given, 'grace') ?? '30s', 'grace'));
    if (!child.hasEnded) child.process.kill('SIGKILL');
  })();
  leaving.catch((error: Error) => {
    warn(context, `rollcall: ${error.message}`);
    child.process.kill('SIGTERM');
  });
  const isUp =
    flagOption(given, 'no-wait') || (await listening(context, child, { host, ports, withinMs }));
  if (isUp && !context.signal.aborted) {
    await registration.setStatus('up');
    tell(`${name} is up`);
  } else if (!child.hasEnded && !context.signal.aborted) {
    child.process.kill('SIGTERM');
    await child.ended;
    await registration.close();
    const listed = ports.map(({ port }) => port).join(', ');
    throw new CliError(
      `error: ${name} did not listen on ${listed} at ${host} within ${withinMs} ms`,
    );
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
  examples: [
    'run --service nginx --port 3001:80 --label app=nginx -- nginx -g "daemon off;"',
    'run --service web --port http=8080 --id a -- python3 -m http.server 8080',
  ],
  options: {
    service: { type: 'string', value: 'NAME', help: 'The service that it registers under' },
    port: {
      type: 'string',
      multiple: true,
      value: 'PORT',
      help: 'Where it listens, [NAME=]PORT[:CONTAINERPORT][/PROTOCOL]; repeat for more',
    },
    label: {
      type: 'string',
      short: 'l',
      multiple: true,
      value: 'K=V',
      help: 'A label; repeat for more',
    },
    id: {
      type: 'string',
      value: 'ID',
      help: 'Its id within the service; made from host and process by default',
    },
    address: {
      type: 'string',
      value: 'ADDRESS',
      help: 'Where others reach it; the address that the registry sees by default',
    },
    zone: { type: 'string', value: 'ZONE', help: 'Its failure zone' },
    weight: {
      type: 'string',
      value: 'WEIGHT',
      help: 'Its share of traffic, 0 to 65535; 100 by default',
    },
    ttl: { type: 'string', value: 'DURATION', help: 'TTL of its lease; 10s by default' },
    'start-timeout': {
      type: 'string',
      value: 'DURATION',
      help: 'How long it may take until its ports answer; 60s by default',
    },
    'no-wait': { type: 'boolean', help: 'It is up at once: do not wait for its ports' },
    drain: {
      type: 'string',
      value: 'DURATION',
      help: 'How long callers are given to see that it drains; 500ms by default',
    },
    grace: {
      type: 'string',
      value: 'DURATION',
      help: 'How long it may take to end before it is killed; 30s by default',
    },
    quiet: { type: 'boolean', short: 'q', help: 'Say nothing of the registration' },
  },
  run,
};
