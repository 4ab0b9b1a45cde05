import type { Endpoint } from '@rollcall/contract';
import { CHANNELS, type RequestMessage } from './channels.ts';

const { requestStart, requestRetry, requestEnd, requestError } = CHANNELS;

type Traced = Pick<RequestMessage, 'namespace' | 'service' | 'method' | 'path'>;

/** Tells what becomes of one call. */
export class RequestTrace {
  readonly #message: RequestMessage;

  private constructor({ namespace, service, method, path }: Traced) {
    this.#message = {
      namespace,
      service,
      method,
      path,
      tries: 0,
      endpoint: undefined,
      statusCode: undefined,
      error: undefined,
    };
    requestStart.publish(this.#message);
  }

  /** Undefined when nobody listens: a call costs nothing then. */
  static begin(call: () => Traced): RequestTrace | undefined {
    const isHeard =
      requestStart.hasSubscribers ||
      requestEnd.hasSubscribers ||
      requestError.hasSubscribers ||
      requestRetry.hasSubscribers;
    return isHeard ? new RequestTrace(call()) : undefined;
  }

  /** A try begins; another than the first is a retry, because of the error of the last one. */
  tried(endpoint: Endpoint): void {
    this.#message.endpoint = endpoint;
    if (++this.#message.tries > 1) requestRetry.publish(this.#message);
    this.#message.error = undefined;
    this.#message.statusCode = undefined;
  }

  failedTry(error: Error): void {
    this.#message.error = error;
  }

  answered(statusCode: number): void {
    this.#message.statusCode = statusCode;
  }

  ended(): void {
    requestEnd.publish(this.#message);
  }

  failed(error: Error): void {
    this.#message.error = error;
    requestError.publish(this.#message);
  }
}
