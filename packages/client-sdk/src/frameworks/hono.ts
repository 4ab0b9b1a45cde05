import type { MiddlewareHandler } from 'hono';
import type { Rollcall } from '../rollcall.ts';

export type { InstanceOptions } from '../serving/instance-options.ts';
// `serveInstance(rollcall, serve({ fetch: app.fetch, port: 3000 }), { service: 'orders' })`, with `serve` of
// `@hono/node-server`.
export { serveInstance, type ServedInstance } from '../serving/serve-instance.ts';

/** What {@link rollcallMiddleware} adds to the context: `new Hono<RollcallEnv>()`. */
export interface RollcallEnv {
  Variables: {
    /** The client that the middleware was given. */
    rollcall: Rollcall;
  };
}

/** Gives handlers the client as `c.var.rollcall`. It stays open: who made it closes it. */
export function rollcallMiddleware(rollcall: Rollcall): MiddlewareHandler<RollcallEnv> {
  return (context, next) => {
    context.set('rollcall', rollcall);
    return next();
  };
}
