import {
  bindFailure,
  type PassedSocket,
  socketsByListener,
  StartError,
  urlHostOf,
} from '@rollcall/daemon';
import type { HttpServer } from '@rollcall/dataplane';
import type { Config } from './config/schema.ts';
import type { RegistryTargetGroup } from './groups/target-group.ts';
import { ListenerRouter } from './routing/listener-router.ts';

/** What the listeners are opened on. */
interface Serving {
  readonly server: HttpServer;
  readonly groups: readonly RegistryTargetGroup[];
}

/**
 * Opens every listener, on the passed sockets where there are some. Returns their addresses by name.
 * @throws StartError that names the listener whose address or socket cannot be used.
 */
export async function openListeners(
  config: Config,
  { server, groups }: Serving,
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
  const addresses: Record<string, string> = {};
  for (const [index, listener] of config.listeners.entries()) {
    const router = new ListenerRouter(listener, byName);
    const fd = fds.get(listener.name);
    try {
      const { address } = await server.listen({ ...listener, fd }, router, {
        passesTrailers: listener.passRequestTrailers,
      });
      addresses[listener.name] = `http://${urlHostOf(address.host)}:${address.port}`;
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
