import type { Rollcall } from '../rollcall.ts';

export type { InstanceOptions } from '../serving/instance-options.ts';
// `serveInstance(rollcall, app.listen(3000), { service: 'orders' })`, with Express 4 and 5.
export { serveInstance, type ServedInstance } from '../serving/serve-instance.ts';

declare global {
  // Where the types of Express look for what applications add.
  namespace Express {
    interface Request {
      /** The client that {@link rollcallMiddleware} was given. */
      rollcall: Rollcall;
    }
  }
}

/** Gives handlers the client as `request.rollcall`. It stays open: who made it closes it. */
export function rollcallMiddleware(rollcall: Rollcall) {
  return (request: { rollcall: Rollcall }, _response: unknown, next: () => void): void => {
    request.rollcall = rollcall;
    next();
  };
}
