import type { IncomingHttpHeaders } from 'node:http';

/** A request to one registry server. */
export interface TransportRequest {
  readonly method: 'GET' | 'PUT' | 'POST' | 'PATCH' | 'DELETE';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  /** Aborts the request and the body of its reply. */
  readonly signal: AbortSignal;
  /**
   * Timeout for the head of the reply, and for each pause in its body, in ms; 0 = no limit.
   * The caller limits the total time.
   */
  readonly timeoutMs: number;
  /** Whether the request, once it is answered, keeps the process alive until it ends. @default true */
  readonly keepsAlive?: boolean;
}

/** The bytes of a reply as they arrive: through events, or by iterating to the end. */
export interface ReplyBody extends AsyncIterable<Buffer> {
  on(event: 'data', listener: (chunk: Buffer) => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  on(event: 'end' | 'close', listener: () => void): unknown;
}

export interface TransportReply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: ReplyBody;
}

/** Sends requests to registry servers. */
export interface RegistryTransport {
  /** Resolves with the head of the reply; rejects when there is none. The caller handles rounds, retries and limits. */
  send(request: TransportRequest): Promise<TransportReply>;
  /** Closes all connections at once. */
  close(): Promise<void>;
}
