import { connect, createServer, type Server, type Socket } from 'node:net';
import type { Endpoint } from '@rollcall/client-sdk';
import { urlHostOf } from '@rollcall/contract';
import { CliError, EXIT, usageError } from '../base/cli-error.ts';
import { type Arguments, type Command, textOption } from '../session/command.ts';
import { type Context, say, warn } from '../session/context.ts';
import { oneOf, RESOURCES } from '../resources/catalog.ts';
import { instances, instanceSpec, instanceStatus } from '../resources/instances.ts';
import { pairsText, type Resource } from '../resources/resource.ts';
import { services } from '../resources/services.ts';
import { deployments, deploymentSpec } from '../resources/workloads.ts';

const CONNECT_MS = 2_000;

/** One `LOCAL:REMOTE`. */
interface Pair {
  /** 0 = any free port. */
  readonly local: number;
  /** Number or name of a port of the service or instance. */
  readonly remote: string;
}

function pairOf(text: string): Pair {
  const [local = '', remote = local] = text.split(':');
  const isPort = (part: string) => /^\d{1,5}$/.test(part) && Number(part) <= 65_535;
  if ((local === '' || isPort(local)) && remote !== '') return { local: Number(local), remote };
  throw usageError(`expected LOCAL:REMOTE, PORT or :REMOTE, got "${text}"`);
}

/** Destination of the connections: chosen again for each one. */
interface Target {
  /** Shown after the arrow. */
  readonly title: string;
  /** Addresses in the order in which to try them. */
  places(): readonly Pick<Endpoint, 'address' | 'port'>[];
}

async function serviceTarget(context: Context, name: string, remote: string): Promise<Target> {
  // Fails when the service does not exist; a watch would wait for it.
  await services.get(context, context.namespace, name);
  const rollcall = await context.live();
  const service = rollcall.service(name, { namespace: context.namespace });
  await service.ready({ endpoints: 0, signal: context.signal });
  const snapshot = service.snapshot();
  const declared = snapshot?.declared ?? null;
  const wanted = declared?.ports.find((one) => [one.name, String(one.port)].includes(remote));
  const known = new Set(
    (snapshot?.endpoints ?? []).flatMap(({ portName, port }) => [portName, String(port)]),
  );
  if (declared === null ? !known.has(remote) : wanted === undefined) {
    throw new CliError(`error: Service ${service.name} does not have a service port ${remote}`);
  }
  const isMeant = ({ portName, port }: Endpoint) =>
    wanted === undefined
      ? portName === remote || String(port) === remote
      : portName === wanted.name;
  const places = inTurn(() => (service.snapshot()?.endpoints ?? []).filter(isMeant));
  return { title: String(wanted?.targetPort ?? remote), places };
}

/** The best usable endpoints, starting with a different one each time. */
function inTurn(endpoints: () => readonly Endpoint[]): Target['places'] {
  let turn = 0;
  return () => {
    const usable = endpoints().filter(({ tier }) => tier !== null);
    const best = usable.filter(({ tier }) => tier === 0);
    const list = best.length > 0 ? best : usable;
    turn = list.length === 0 ? 0 : (turn + 1) % list.length;
    return [...list.slice(turn), ...list.slice(0, turn)];
  };
}

async function instanceTarget(context: Context, name: string, remote: string): Promise<Target> {
  const { address, ports } = instanceSpec(await instances.get(context, context.namespace, name));
  const found = Object.entries(ports).find(([portName, { port, containerPort }]) =>
    [portName, String(port), String(containerPort ?? '')].includes(remote),
  );
  // An unregistered port may still be reachable.
  const port = found?.[1].port ?? Number(remote);
  if (!(port > 0)) throw new CliError(`error: instance ${name} has no port named ${remote}`);
  return { title: String(port), places: () => [{ address, port }] };
}

/** One ready instance of a deployment, as kubectl chooses a pod. */
async function deploymentTarget(context: Context, name: string, remote: string): Promise<Target> {
  const object = await deployments.get(context, context.namespace, name);
  const { matchLabels = {} } = deploymentSpec(object).selector ?? {};
  const found = await instances.list(context, context.namespace, pairsText(matchLabels));
  const ready = found.find((one) => instanceStatus(one).ready);
  if (ready === undefined) {
    throw new CliError(`error: no instance of deployment ${name} is ready`);
  }
  const { service } = instanceSpec(ready);
  return instanceTarget(context, `${service}/${ready.metadata.name}`, remote);
}

const AIMS: ReadonlyMap<
  Resource,
  (context: Context, name: string, remote: string) => Promise<Target>
> = new Map([
  [services, serviceTarget],
  [instances, instanceTarget],
  [deployments, deploymentTarget],
]);

/** Connects to the first address that accepts. */
async function reach(target: Target): Promise<Socket> {
  let last = 'nobody is ready';
  for (const { address, port } of target.places()) {
    try {
      return await dial(address, port);
    } catch (error) {
      last = `${address}:${port}: ${(error as Error).message}`;
    }
  }
  throw new CliError(last);
}

function dial(host: string, port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, allowHalfOpen: true, timeout: CONNECT_MS });
    socket.once('connect', () => {
      socket.setTimeout(0);
      socket.removeAllListeners('error');
      resolve(socket);
    });
    socket.once('timeout', () => socket.destroy(new Error(`no answer within ${CONNECT_MS} ms`)));
    socket.once('error', reject);
  });
}

function splice(client: Socket, upstream: Socket): void {
  const end = () => {
    client.destroy();
    upstream.destroy();
  };
  client.on('error', end);
  upstream.on('error', end);
  client.pipe(upstream);
  upstream.pipe(client);
}

async function listen(
  context: Context,
  target: Target,
  { local, address }: { readonly local: number; readonly address: string },
): Promise<Server> {
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (client) => {
    client.on('error', () => client.destroy());
    const { port } = server.address() as { port: number };
    say(context, `Handling connection for ${port}`);
    reach(target).then(
      (upstream) => splice(client.resume(), upstream),
      (error: Error) => {
        warn(
          context,
          `error: an error occurred forwarding ${port} -> ${target.title}: ${error.message}`,
        );
        client.resetAndDestroy();
      },
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(local, address, () => resolve());
  }).catch((error: Error) => {
    throw new CliError(`error: unable to listen on ${address}:${local}: ${error.message}`);
  });
  const { port } = server.address() as { port: number };
  say(context, `Forwarding from ${urlHostOf(address)}:${port} -> ${target.title}`);
  return server;
}

/** A name alone is that of an instance, as kubectl takes it for a pod. */
function withType(words: readonly string[]): readonly string[] {
  const [first = '', second = ''] = words;
  const isType = RESOURCES.some(({ names }) => names.includes(first.toLowerCase()));
  const isName = !isType && !first.includes('/') && /^\d*(:|$)/.test(second);
  return isName && second !== '' ? [`instance/${first}`, ...words.slice(1)] : words;
}

async function run(context: Context, given: Arguments): Promise<number> {
  const words = withType(given.words);
  const at = words[0]?.includes('/') === true ? 1 : 2;
  const { resource, name } = oneOf(words.slice(0, at), portForward.usage);
  const pairs = words.slice(at).map(pairOf);
  if (pairs.length === 0)
    throw usageError('TYPE/NAME and list of ports are required for port-forward');
  const aim = AIMS.get(resource);
  if (aim === undefined) {
    const expected = 'expected a service, an instance or a deployment';
    throw usageError(`cannot forward to a ${resource.prefix}: ${expected}`);
  }
  const servers: Server[] = [];
  const address = textOption(given, 'address') ?? '127.0.0.1';
  try {
    for (const pair of pairs) {
      const target = await aim(context, name, pair.remote);
      servers.push(await listen(context, target, { ...pair, address }));
    }
    await new Promise<void>((resolve) => {
      if (context.signal.aborted) resolve();
      context.signal.addEventListener('abort', () => resolve(), { once: true });
    });
  } finally {
    for (const server of servers) server.close();
  }
  return EXIT.ok;
}

export const portForward: Command = {
  name: 'port-forward',
  summary: 'Forward local ports to a service, an instance or a deployment',
  usage: 'port-forward (TYPE/NAME | INSTANCE) [LOCAL:]REMOTE... [--address ADDRESS]',
  takes: 'objects',
  examples: [
    'port-forward svc/nginx 8080:80',
    'port-forward instance/nginx/a :http',
    'port-forward nginx-1 8080:80',
  ],
  options: {
    address: {
      type: 'string',
      value: 'ADDRESS',
      help: 'Address to listen on; default: 127.0.0.1',
    },
  },
  run,
};
