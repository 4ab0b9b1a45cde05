import type { Handshaker, Listener } from '../io/transport.ts';
import type { Router } from '../model/router.ts';

export interface ListenerRules {
  /**
   * Forwards the trailers of requests, rewritten and without those that are only allowed in a head. Only for targets
   * that are known to read them correctly: others take them for the next request. @default false
   */
  readonly passesTrailers?: boolean;
}

export interface HttpListenerOptions extends ListenerRules {
  /** What connections do before their first request, for example a TLS handshake. @default nothing */
  readonly handshaker?: Handshaker | undefined;
}

/** A listener whose routing may change while it serves. */
export interface HttpListener extends Listener {
  /** From the next request on, on open connections too. */
  reroute(router: Router, rules?: ListenerRules): void;
  /** New connections do this handshake first; undefined: none. Those that are open, or in a handshake, keep theirs. */
  secure(handshaker: Handshaker | undefined): void;
  /**
   * Accepts the connections already made and no further ones. Its open connections end after the request in progress,
   * and are aborted after `graceMs`; handshakes end by then too. Resolves when the port is free. May be called again,
   * with less time.
   * @param graceMs default: none is aborted
   */
  close(graceMs?: number): Promise<void>;
}
