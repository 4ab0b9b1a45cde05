import type { RouteName, ROUTES } from '@rollcall/contract';
import type { z } from 'zod';

/** What a call of the API is made of; which parts it needs stands in the contract's routes. */
export interface CallRequest {
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  /** A text goes as it is (manifests), anything else as JSON. */
  readonly body?: unknown;
  readonly signal?: AbortSignal;
  /** How long each server may take for its whole answer, in ms; a read may take ten times that once it has begun. @default the client's `requestTimeoutMs` */
  readonly timeoutMs?: number;
}

/** What a call of the API is answered with. */
export type ReplyOf<N extends RouteName> =
  (typeof ROUTES)[N]['reply']['body'] extends z.ZodType<infer R> ? R : undefined;

/** The bytes of a stream as they come, until one of the others is called. */
interface ByteSource {
  on(event: 'data', listener: (chunk: Buffer) => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  on(event: 'end' | 'close', listener: () => void): unknown;
}

/** The registry as the client sees it. */
export interface RegistryApi {
  /** Where its servers are. */
  readonly urls: readonly string[];

  /**
   * One round: each url is tried once (a single one twice when no answer came), each within a
   * total time and size. Rejects with the last {@link RollcallError}, at once when another try cannot help, or
   * with the signal's reason.
   */
  call<N extends RouteName>(name: N, request: CallRequest): Promise<ReplyOf<N>>;

  /** One try at one url: for what that server alone knows. Rejects as {@link call} does. */
  callAt<N extends RouteName>(url: string, name: N, request: CallRequest): Promise<ReplyOf<N>>;

  /** Opens a stream at one url. The caller consumes the body; a refusal rejects. */
  open(url: string, path: string, signal: AbortSignal): Promise<{ readonly body: ByteSource }>;

  /** Ends all connections at once. */
  close(): Promise<void>;
}
