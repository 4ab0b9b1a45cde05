import type { Rollcall } from '../rollcall.ts';

export type { InstanceOptions } from '../serving/instance-options.ts';
// `serveInstance(rollcall, app.listen(3000), { service: 'orders' })`
export { serveInstance, type ServedInstance } from '../serving/serve-instance.ts';

/** What {@link rollcallMiddleware} adds to the context: `new Koa<Koa.DefaultState, RollcallContext>()`. */
export interface RollcallContext {
  /** The client that the middleware was given. */
  rollcall: Rollcall;
}

/** Gives middleware the client as `ctx.rollcall`. It stays open: who made it closes it. */
export function rollcallMiddleware(rollcall: Rollcall) {
  return (context: RollcallContext, next: () => Promise<unknown>): Promise<unknown> => {
    context.rollcall = rollcall;
    return next();
  };
}
