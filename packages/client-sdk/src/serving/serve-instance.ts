import type { Registration } from '../api/registration.ts';
import type { Drained } from './drainable-server.ts';
import type { HttpServer } from './http-ending.ts';
import type { InstanceOptions } from './instance-options.ts';
import { InstanceServer, type Registering } from './instance-server.ts';

/** A server on the roll. */
export interface ServedInstance {
  readonly registration: Registration;
  /**
   * Resolves when it has left and the server is closed, whatever began it: a signal, an abort, {@link drain}, or the
   * registration's own `drain`. Never rejects. The process then ends by itself, unless something else keeps it alive:
   * close that afterwards.
   */
  readonly drained: Promise<Drained>;
  /** Leaves without failing a call, and closes the server: call it instead of `server.close()`. Safe to call twice. */
  drain(): Promise<Drained>;
}

/**
 * Puts a server of node:http, node:https or node:http2 on the roll once it listens, under the port that it has, keeps
 * its status what `readiness` says, and lets it leave without failing a call on SIGTERM and SIGINT. If the application
 * closes the server itself, the instance leaves the roll when the last connection has ended.
 *
 * Resolves once it is registered, however long no registry answers; it serves meanwhile. Rejects with a
 * {@link RollcallError} when an option is wrong (the message names it) or the registry refuses, and with the error of a
 * server that cannot listen.
 */
export async function serveInstance(
  rollcall: Registering,
  server: HttpServer,
  options: InstanceOptions,
): Promise<ServedInstance> {
  const instance = new InstanceServer(rollcall, server, options);
  const registration = await instance.registered;
  return { registration, drained: instance.drained, drain: () => instance.drain() };
}
