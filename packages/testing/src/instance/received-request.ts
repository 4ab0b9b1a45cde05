import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';

/** A request as an instance received it. */
export class ReceivedRequest {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly #chunks: Buffer[] = [];

  constructor(request: IncomingMessage) {
    this.method = request.method ?? '';
    this.path = request.url ?? '';
    this.headers = request.headers;
    // Listening to `data` would take the body away from a handler that reads it later.
    const push = request.push.bind(request);
    request.push = (chunk: unknown, encoding) => {
      if (Buffer.isBuffer(chunk)) this.#chunks.push(chunk);
      return push(chunk, encoding);
    };
  }

  /** What has arrived of the body. */
  get body(): string {
    return Buffer.concat(this.#chunks).toString();
  }
}
