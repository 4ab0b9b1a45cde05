import type { Dispatcher } from 'undici';
import { RollcallError } from '../base/error.ts';
import type { AnyHandler } from '../undici/legacy-handler.ts';
import { tellError } from '../undici/legacy-handler.ts';
import { Dispatcher as BaseDispatcher } from '../undici/undici.ts';
import { createInterceptor } from './interceptor.ts';

type Dispatch = Dispatcher['dispatch'];

/** An undici dispatcher that sends requests for service hosts to the services, and all others to `otherwise`. */
export class HostDispatcher extends BaseDispatcher {
  readonly #dispatch: Dispatch;

  constructor(at: (origin: string) => Dispatcher | undefined, otherwise: Dispatcher | undefined) {
    super();
    this.#dispatch = createInterceptor(at)(
      otherwise === undefined ? refuse : (options, handler) => otherwise.dispatch(options, handler),
    );
  }

  override dispatch(
    options: Dispatcher.DispatchOptions,
    handler: Dispatcher.DispatchHandler,
  ): boolean {
    return this.#dispatch(options, handler);
  }

  // It has no connections of its own.

  override close(callback?: () => void): Promise<void> {
    callback?.();
    return Promise.resolve();
  }

  override destroy(...given: unknown[]): Promise<void> {
    const callback = given.at(-1);
    if (typeof callback === 'function') (callback as () => void)();
    return Promise.resolve();
  }
}

function refuse({ origin }: Dispatcher.DispatchOptions, handler: AnyHandler): boolean {
  const message = `${String(origin)} names no service: give a dispatcher for other hosts`;
  tellError(handler, new RollcallError('invalid_host', message));
  return false;
}
