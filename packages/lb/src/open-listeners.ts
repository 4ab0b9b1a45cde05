import {
  bindFailure,
  type PassedSocket,
  socketsByListener,
  StartError,
  urlHostOf,
} from '@rollcall/daemon';
import type { HttpServer } from '@rollcall/dataplane';
import type { Config } from './config/schema.ts';
import { httpsPort } from './config/tls-problems.ts';
import type { RegistryTargetGroup } from './groups/target-group.ts';
import { ListenerRouter } from './routing/listener-router.ts';
import type { BalancerTls } from './tls/balancer-tls.ts';

/** What the listeners are opened on. */
interface Serving {
  readonly server: HttpServer;
  readonly groups: readonly RegistryTargetGroup[];
  readonly tls: BalancerTls;
}

const HTTPS_PORT = 443;

/**
 * Opens every listener, on the passed sockets where there are some. Returns their addresses by name.
 * @throws StartError that names the listener whose address or socket cannot be used.
 */
export async function openListeners(
  config: Config,
  { server, groups, tls }: Serving,
  sockets: readonly PassedSocket[],
): Promise<Record<string, string>> {
  const names = config.listeners.map(({ name }) => name);
  const fds = socketsByListener(names, sockets);
  if (fds.size < sockets.length) {
    throw new StartError(
      `${sockets.length} sockets were passed for ${names.length} listeners: connections to the others would wait for ever`,
    );
  }
  const byName = new Map(groups.map((group) => [group.name, group]));
  const bound: { port: number; protocol: string }[] = config.listeners.map((listener) => ({
    port: listener.port,
    protocol: listener.protocol,
  }));
  const parts = { groups: byName, httpsPort: () => httpsPort(bound) ?? HTTPS_PORT };
  const addresses: Record<string, string> = {};
  for (const [index, listener] of config.listeners.entries()) {
    const { name, protocol, passRequestTrailers: passesTrailers } = listener;
    const router = new ListenerRouter(listener, parts);
    const fd = fds.get(name);
    const acceptor = tls.listeners.get(name)?.acceptor;
    const options = { passesTrailers, ...(acceptor === undefined ? {} : { acceptor }) };
    try {
      const { address } = await server.listen({ ...listener, fd }, router, options);
      addresses[name] = `${protocol}://${urlHostOf(address.host)}:${address.port}`;
      bound[index] = { port: address.port, protocol };
    } catch (error) {
      if (fd === undefined) throw bindFailure(listener, remedyOf(`listeners[${index}]`), error);
      const { message } = error as Error;
      throw new StartError(
        `listeners[${index}]: the passed socket (descriptor ${fd}): ${message}`,
        {
          cause: error,
        },
      );
    }
  }
  return addresses;
}

/** `key`: path of the address in the configuration. */
export function remedyOf(key: string): string {
  return `${key}.host or ${key}.port (0: any free port)`;
}
