import type { Endpoint } from '@rollcall/contract';
import { CHANNELS, type RequestMessage } from './channels.ts';

const { requestStart, requestRetry, requestTry, requestTryFailed, requestEnd, requestError } =
  CHANNELS;

/** The service that is called. */
export interface TracedService {
  readonly namespace: string;
  readonly name: string;
  readonly origin: string;
}

/** Tells what becomes of one call. */
export class RequestTrace {
  readonly #message: RequestMessage;
  /** Nothing is told of a call that is over: a try that was given up may still fail afterwards. */
  #isOver = false;

  private constructor({ namespace, name, origin }: TracedService, method: string, path: string) {
    this.#message = {
      namespace,
      service: name,
      method,
      path,
      tries: 0,
      endpoint: undefined,
      statusCode: undefined,
      error: undefined,
      origin,
      headers: {},
    };
    requestStart.publish(this.#message);
  }

  /** Undefined when nobody listens: a call costs nothing then. Told to the caller's own async context. */
  static begin(service: TracedService, method: string, path: string): RequestTrace | undefined {
    const isHeard =
      requestStart.hasSubscribers ||
      requestEnd.hasSubscribers ||
      requestError.hasSubscribers ||
      requestRetry.hasSubscribers ||
      requestTry.hasSubscribers ||
      requestTryFailed.hasSubscribers;
    return isHeard ? new RequestTrace(service, method, path) : undefined;
  }

  /** What subscribers add to the request. */
  get headers(): Readonly<Record<string, string>> {
    return this.#message.headers;
  }

  /** A try begins; another than the first is a retry, because of the error or the answer of the last one. */
  tried(endpoint: Endpoint): void {
    const message = this.#message;
    message.endpoint = endpoint;
    if (++message.tries > 1) requestRetry.publish(message);
    message.error = undefined;
    message.statusCode = undefined;
    requestTry.publish(message);
  }

  failedTry(error: Error): void {
    if (this.#isOver) return;
    this.#message.error = error;
    requestTryFailed.publish(this.#message);
  }

  answered(statusCode: number): void {
    this.#message.statusCode = statusCode;
  }

  ended(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    requestEnd.publish(this.#message);
  }

  failed(error: Error): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#message.error = error;
    requestError.publish(this.#message);
  }
}
