import { parseOptions } from '../base/parse-options.ts';
import type { Registration } from '../api/registration.ts';
import { leavingOf } from '../registration/leaving.ts';
import { type Drained, DrainableServer } from './drainable-server.ts';
import type { GrpcServer } from './grpc-ending.ts';
import type { HttpServer } from './http-ending.ts';
import { type ServeOptions, ServeSchema } from './serve-options.ts';
import { Stop } from './stop.ts';

/**
 * Serves until a signal asks to stop, then leaves without failing a call: the instance is announced as draining, callers
 * learn it, the next answers ask them to connect elsewhere, work under way is done, and the instance leaves the roll.
 * Call it once the instance is registered. It does not know connections that were opened before, until their first
 * request; `serveInstance` has no such gap. A superseded instance is served until it is asked to stop. Resolves when the
 * server has ended; the process then ends by itself, unless something else keeps it alive. Never ends the process, and does not reject when the registry is away.
 *
 * Throws a {@link RollcallError} `invalid_options` that names the option.
 */
export async function serveUntilDrained(
  server: HttpServer | GrpcServer,
  registration: Registration,
  options: ServeOptions = {},
): Promise<Drained> {
  const parsed = parseOptions(ServeSchema, options);
  const { runtime } = leavingOf(registration);
  const drainable = new DrainableServer(server, runtime, parsed);
  const stop = new Stop(runtime.signals, parsed.signals, parsed.signal);
  try {
    return await drainable.serve(registration, stop.asked);
  } finally {
    stop.close();
  }
}
