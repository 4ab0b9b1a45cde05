import type { CallName, CallRequest, ReplyOf } from './call-request.ts';
import type { ReplyBody } from '../base/transport.ts';

export interface OpenedStream {
  readonly body: ReplyBody;
  /** Tells that the server is there. */
  readonly heard: () => void;
}

export interface StreamTerms {
  /** Ends the stream. */
  readonly signal: AbortSignal;
  /** Whether the open stream keeps the process alive. */
  readonly keepsAlive: boolean;
}

/** The registry as the client sees it. */
export interface RegistryApi {
  /** URLs of the registry servers. */
  readonly urls: readonly string[];

  /**
   * Makes one round: tries each URL once (a single URL twice when no response came), each with a limit on
   * total time and size. Rejects with the last {@link RollcallError}, at once when another try cannot
   * help, or with the signal's reason.
   */
  call<N extends CallName>(name: N, request: CallRequest<N>): Promise<ReplyOf<N>>;

  /** Tries one URL once: for requests that only this server can answer. Rejects as {@link call} does. */
  callAt<N extends CallName>(url: string, name: N, request: CallRequest<N>): Promise<ReplyOf<N>>;

  /** Opens a stream at one URL. The caller consumes the body, and calls `heard` at each event; a refusal rejects. */
  openStream(url: string, path: string, terms: StreamTerms): Promise<OpenedStream>;

  /** Closes all connections at once. */
  close(): Promise<void>;
}
