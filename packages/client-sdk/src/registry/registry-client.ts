import { pathOf, type Route, ROUTES } from '@rollcall/contract';
import pRetry from 'p-retry';
import { pause } from '@rollcall/runtime';
import { RollcallError } from '../base/error.ts';
import type { ResolvedOptions } from '../api/options.ts';
import {
  type AnyCallRequest,
  type CallName,
  type CallRequest,
  queryOf,
  type ReplyOf,
} from './call-request.ts';
import type { Connection } from './connection.ts';
import type { OpenedStream, RegistryApi, StreamTerms } from './registry-api.ts';
import { errorOfReply, jsonOf } from './reply.ts';
import { bounded } from './time-bound.ts';
import type { RegistryTransport, TransportReply, TransportRequest } from '../base/transport.ts';
import { HttpTransport } from './http-transport.ts';
import { UrlRing } from './url-ring.ts';

/** Pause between two tries of a round, in ms. */
const BETWEEN_TRIES_MS = 20;

/** A read that has begun may take this many times the request timeout in total. */
const READ_RATIO = 10;

/** No response of a registry is larger: 100,000 instances take two thirds of it. */
const MAX_REPLY_BYTES = 64 * 2 ** 20;

/** The registry over HTTP. The API is designed so that every call that it makes may be repeated. */
export class RegistryClient implements RegistryApi {
  readonly urls: readonly string[];
  readonly #options: ResolvedOptions;
  readonly #connection: Connection;
  readonly #transport: RegistryTransport;
  readonly #ring: UrlRing;

  constructor(options: ResolvedOptions, connection: Connection) {
    this.#options = options;
    this.#connection = connection;
    this.urls = options.url;
    this.#ring = new UrlRing(options.url, options.runtime.random);
    this.#transport = options.runtime.transport ?? new HttpTransport(options);
  }

  call<N extends CallName>(name: N, given: CallRequest<N>): Promise<ReplyOf<N>> {
    const request: AnyCallRequest = given;
    // If the first response was lost, a second `create` would be refused because the object exists already.
    const isOnce = request.query?.['mode'] === 'create';
    const isSingle = this.urls.length === 1;
    const mayRepeat = (error: Error) =>
      error instanceof RollcallError &&
      error.retryable &&
      (!isOnce || wasNotCarriedOut(error)) &&
      (!isSingle || error.code === 'registry_unreachable');
    return pRetry(() => this.#attempt(ROUTES[name], request) as Promise<ReplyOf<N>>, {
      retries: Math.max(this.urls.length, 2) - 1,
      // The pause is made in `shouldRetry`, on the client's own clock.
      minTimeout: 0,
      shouldRetry: async ({ error }) => {
        if (!mayRepeat(error)) return false;
        await pause(this.#options.runtime, BETWEEN_TRIES_MS, request.signal);
        return true;
      },
      ...(request.signal === undefined ? {} : { signal: request.signal }),
    });
  }

  callAt<N extends CallName>(url: string, name: N, request: CallRequest<N>): Promise<ReplyOf<N>> {
    return this.#askInTime(url, ROUTES[name], request) as Promise<ReplyOf<N>>;
  }

  openStream(
    url: string,
    path: string,
    { signal, keepsAlive }: StreamTerms,
  ): Promise<OpenedStream> {
    const { runtime, connectTimeoutMs, requestTimeoutMs } = this.#options;
    const limitMs = connectTimeoutMs + requestTimeoutMs;
    const bound = { limitMs, signal, onOver: tooLate(url, limitMs), isOngoing: true };
    const open = async (inner: AbortSignal) => {
      const reply = await this.#send(url, path, {
        method: 'GET',
        headers: { accept: 'text/event-stream' },
        timeoutMs: 0,
        signal: inner,
        keepsAlive,
      });
      if (reply.status === 200) {
        return { body: reply.body, heard: () => this.#connection.heard(url) };
      }
      throw errorOfReply(reply.status, reply.headers, await textOf(reply, url), url);
    };
    return this.#connection.observe(url, () => bounded(runtime, bound, open));
  }

  async close(): Promise<void> {
    this.#connection.close();
    await this.#transport.close();
  }

  async #attempt(route: Route, request: AnyCallRequest): Promise<unknown> {
    const url = this.#ring.current;
    try {
      return await this.#askInTime(url, route, request);
    } catch (error) {
      if (!(error instanceof RollcallError) || error.retryable) this.#ring.leave(url);
      throw error;
    }
  }

  #askInTime(url: string, route: Route, request: AnyCallRequest): Promise<unknown> {
    const { requestTimeoutMs, runtime } = this.#options;
    const { signal, timeoutMs = requestTimeoutMs } = request;
    // A read may return much data; it still has to start, and to keep arriving, within the timeout. Anything else has to
    // end within it, and needs no second timer.
    const isRead = route.method === 'GET';
    const limitMs = isRead ? timeoutMs * READ_RATIO : timeoutMs;
    const silenceMs = isRead ? timeoutMs : 0;
    const bound = { limitMs, signal, onOver: tooLate(url, limitMs) };
    return this.#connection.observe(url, () =>
      bounded(runtime, bound, (inner) =>
        this.#ask(url, route, { ...request, timeoutMs: silenceMs, signal: inner }),
      ),
    );
  }

  async #ask(
    url: string,
    route: Route,
    { params, query, body, timeoutMs, signal }: AnyCallRequest & Bound,
  ): Promise<unknown> {
    const reply = await this.#send(url, pathOf(route, params) + queryOf(query), {
      method: route.method,
      ...bodyOf(route, body),
      timeoutMs,
      signal,
    });
    const text = await textOf(reply, url);
    if (reply.status !== route.reply.status)
      throw errorOfReply(reply.status, reply.headers, text, url);
    return parseReply(route, text, url);
  }

  async #send(
    url: string,
    path: string,
    request: Omit<TransportRequest, 'url'>,
  ): Promise<TransportReply> {
    const { token } = this.#options;
    const prefix = new URL(url).pathname.replace(/\/$/, '');
    const headers = {
      ...request.headers,
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    };
    try {
      return await this.#transport.send({ ...request, url: new URL(prefix + path, url), headers });
    } catch (error) {
      throw unreachable(url, error, request.signal);
    }
  }
}

type Bound = Required<Pick<TransportRequest, 'timeoutMs' | 'signal'>>;

const UNSENT = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EHOSTUNREACH', 'ETIMEDOUT']);

/**
 * Whether the registry cannot have started the request: it was not reached, or it answered that it is not ready yet or
 * that the rate limit is exceeded.
 */
function wasNotCarriedOut({ code, cause }: RollcallError): boolean {
  if (code === 'replica_cold' || code === 'rate_limited') return true;
  return UNSENT.has(String((cause as { readonly code?: unknown } | undefined)?.code));
}

function bodyOf(
  { bodyType }: Route,
  body: unknown,
): { readonly headers: Record<string, string>; readonly body?: string } {
  if (body === undefined) return { headers: {} };
  if (typeof body === 'string') return { headers: { 'content-type': 'application/yaml' }, body };
  const isPatch = bodyType === 'merge-patch';
  const type = isPatch ? 'application/merge-patch+json' : 'application/json';
  return { headers: { 'content-type': type }, body: jsonBodyOf(body) };
}

function jsonBodyOf(body: unknown): string {
  try {
    return JSON.stringify(body);
  } catch (error) {
    const why = `body: expected what JSON can say: ${(error as Error).message}`;
    throw new RollcallError('invalid_options', why, { cause: error });
  }
}

/** Reads the body of a reply up to the size limit; a body that breaks off counts as no response. */
async function textOf({ body }: TransportReply, url: string): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of body) {
      bytes += chunk.length;
      if (bytes > MAX_REPLY_BYTES) break;
      chunks.push(chunk);
    }
  } catch (error) {
    throw unreachable(url, error);
  }
  if (bytes <= MAX_REPLY_BYTES) return Buffer.concat(chunks).toString();
  const most = `${MAX_REPLY_BYTES / 2 ** 20} MiB`;
  throw new RollcallError('registry_garbled', `${url} answered with more than ${most}`);
}

const tooLate = (url: string, limitMs: number) => () =>
  new RollcallError(
    'registry_unreachable',
    `${url} did not finish its answer within ${limitMs} ms`,
  );

/** How OpenSSL takes an answer that is not TLS. */
const WRONG_VERSION = /wrong version number/;
const NO_TLS = 'it does not speak TLS: http:// instead of https://?';
const UNTRUSTED =
  'its certificate is signed by nobody that is trusted here: give that of the signer (ca, --registry-ca)';
/** What to do about errors whose text does not say it. */
const REMEDIES: ReadonlyMap<unknown, string> = new Map([
  ['DEPTH_ZERO_SELF_SIGNED_CERT', UNTRUSTED],
  ['SELF_SIGNED_CERT_IN_CHAIN', UNTRUSTED],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', UNTRUSTED],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', UNTRUSTED],
]);

function unreachable(url: string, error: unknown, signal?: AbortSignal): unknown {
  if (signal?.aborted === true) return signal.reason;
  const { code, message = '', name } = error as Partial<NodeJS.ErrnoException>;
  const isPlain = WRONG_VERSION.test(message);
  const why = isPlain ? NO_TLS : (REMEDIES.get(code) ?? (message || name || String(error)));
  return new RollcallError('registry_unreachable', `${url} did not answer: ${why}`, {
    cause: error,
  });
}

function parseReply(route: Route, text: string, url: string): unknown {
  const { body } = route.reply;
  if (body === null || body === 'stream') return undefined;
  const parsed = body.safeParse(jsonOf(text));
  if (parsed.success) return parsed.data;
  const message = `${url} answered ${route.method} ${route.path} with an answer that no registry gives`;
  throw new RollcallError('registry_garbled', message, { cause: parsed.error });
}
