import type { Acceptor, Listener } from '../io/transport.ts';
import type { Router } from '../model/router.ts';

export interface HttpListenerOptions {
  /**
   * Forwards the trailers of requests, rewritten and without those that are only allowed in a head. Only for targets
   * that are known to read them correctly: others take them for the next request. @default false
   */
  readonly passesTrailers?: boolean;
  /** How connections arrive, for example over TLS; it stays. @default as the server's transport accepts them */
  readonly acceptor?: Acceptor;
}

/** A listener whose routing may change while it serves. */
export interface HttpListener extends Listener {
  /** From the next request on, on open connections too. */
  reroute(router: Router, options?: HttpListenerOptions): void;
  /**
   * Accepts the connections already made and no further ones. Its open connections end after the request in progress,
   * and are aborted after `graceMs`. Resolves when the port is free. May be called again, with less time.
   * @param graceMs default: none is aborted
   */
  close(graceMs?: number): Promise<void>;
}
