import { pathOf, type Route, type RouteName, ROUTES } from '@rollcall/contract';
import pRetry from 'p-retry';
import type { Dispatcher } from 'undici';
import { RollcallError } from '../base/error.ts';
import type { ResolvedOptions } from '../api/options.ts';
import { Agent, requestBy } from '../undici/undici.ts';
import type { CallRequest, RegistryApi, ReplyOf } from './registry-api.ts';
import { errorOfReply, jsonOf } from './reply.ts';
import { bounded } from './time-bound.ts';
import { UrlRing } from './url-ring.ts';

/** Pause between two tries of a round, in ms. */
const BETWEEN_TRIES_MS = 20;

/** How much longer than its beginning an answer to a question may take as a whole. */
const READ_RATIO = 10;

/** No answer of a registry is larger: 100,000 instances are two thirds of it. */
const MAX_REPLY_BYTES = 64 * 2 ** 20;

/** The registry over HTTP. Every call that it makes may be repeated: that is how the API is made. */
export class RegistryClient implements RegistryApi {
  readonly urls: readonly string[];
  readonly #options: ResolvedOptions;
  readonly #agent: InstanceType<typeof Agent>;
  readonly #ring: UrlRing;

  constructor(options: ResolvedOptions) {
    this.#options = options;
    this.urls = options.url;
    this.#ring = new UrlRing(options.url, options.runtime.random);
    this.#agent = new Agent({
      allowH2: false,
      headersTimeout: options.requestTimeoutMs,
      bodyTimeout: options.requestTimeoutMs,
      connect: {
        ...(options.ca === undefined ? {} : { ca: options.ca as string }),
        ...options.connect,
        timeout: options.connectTimeoutMs,
      },
    });
  }

  call<N extends RouteName>(name: N, request: CallRequest): Promise<ReplyOf<N>> {
    // Whoever creates would be told that it is there already, if the answer to the first try was lost.
    const isOnce = request.query?.['mode'] === 'create';
    const isSingle = this.urls.length === 1;
    return pRetry(() => this.#attempt(ROUTES[name], request) as Promise<ReplyOf<N>>, {
      retries: Math.max(this.urls.length, 2) - 1,
      minTimeout: BETWEEN_TRIES_MS,
      maxTimeout: BETWEEN_TRIES_MS,
      shouldRetry: ({ error }) =>
        error instanceof RollcallError &&
        error.retryable &&
        (!isOnce || wasNotCarriedOut(error)) &&
        (!isSingle || error.code === 'registry_unreachable'),
      ...(request.signal === undefined ? {} : { signal: request.signal }),
    });
  }

  callAt<N extends RouteName>(url: string, name: N, request: CallRequest): Promise<ReplyOf<N>> {
    return this.#askInTime(url, ROUTES[name], request) as Promise<ReplyOf<N>>;
  }

  open(url: string, path: string, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
    const { runtime, connectTimeoutMs, requestTimeoutMs } = this.#options;
    const limitMs = connectTimeoutMs + requestTimeoutMs;
    const bound = { limitMs, signal, onOver: tooLate(url, limitMs), isOngoing: true };
    return bounded(runtime, bound, async (inner) => {
      const reply = await this.#send(url, path, {
        method: 'GET',
        headers: { accept: 'text/event-stream' },
        bodyTimeout: 0,
        signal: inner,
      });
      if (reply.statusCode === 200) return reply;
      throw errorOfReply(reply.statusCode, reply.headers, await textOf(reply, url), url);
    });
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  async #attempt(route: Route, request: CallRequest): Promise<unknown> {
    const url = this.#ring.current;
    try {
      return await this.#askInTime(url, route, request);
    } catch (error) {
      if (!(error instanceof RollcallError) || error.retryable) this.#ring.leave(url);
      throw error;
    }
  }

  #askInTime(url: string, route: Route, request: CallRequest): Promise<unknown> {
    const { requestTimeoutMs, runtime } = this.#options;
    const { signal, timeoutMs = requestTimeoutMs } = request;
    // What is read may be large; it has to begin and to go on within the time all the same.
    const limitMs = route.method === 'GET' ? timeoutMs * READ_RATIO : timeoutMs;
    return bounded(runtime, { limitMs, signal, onOver: tooLate(url, limitMs) }, (inner) =>
      this.#ask(url, route, { ...request, timeoutMs, signal: inner }),
    );
  }

  async #ask(url: string, route: Route, request: CallRequest): Promise<unknown> {
    const { timeoutMs = this.#options.requestTimeoutMs, signal } = request;
    const reply = await this.#send(url, pathOf(route, request.params) + queryOf(request.query), {
      method: route.method,
      ...bodyOf(route, request.body),
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
      ...(signal === undefined ? {} : { signal }),
    });
    const text = await textOf(reply, url);
    if (reply.statusCode !== route.reply.status)
      throw errorOfReply(reply.statusCode, reply.headers, text, url);
    return parseReply(route, text, url);
  }

  async #send(
    url: string,
    path: string,
    options: Omit<Dispatcher.RequestOptions, 'origin' | 'path' | 'headers'> & {
      headers: Record<string, string>;
    },
  ): Promise<Dispatcher.ResponseData> {
    const { origin, pathname } = new URL(url);
    const { token } = this.#options;
    const headers = {
      ...options.headers,
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    };
    try {
      const prefix = pathname === '/' ? '' : pathname;
      return await requestBy(this.#agent, { ...options, origin, path: prefix + path, headers });
    } catch (error) {
      throw unreachable(url, error, options.signal);
    }
  }
}

const UNSENT = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EHOSTUNREACH', 'UND_ERR_CONNECT_TIMEOUT']);

/** Whether the registry cannot have begun with it: it was not reached, or says that it does nothing yet. */
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
  return { headers: { 'content-type': type }, body: JSON.stringify(body) };
}

/** Reads a reply's body, as far as the bound; one that breaks off counts as no answer. */
async function textOf(reply: Dispatcher.ResponseData, url: string): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of reply.body as AsyncIterable<Buffer>) {
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
  new RollcallError('registry_unreachable', `${url} gave no whole answer within ${limitMs} ms`);

function unreachable(
  url: string,
  error: unknown,
  signal?: Dispatcher.RequestOptions['signal'],
): unknown {
  if (signal instanceof AbortSignal && signal.aborted) return signal.reason;
  const why = error instanceof Error ? error.message || error.name : String(error);
  return new RollcallError('registry_unreachable', `${url} gave no answer: ${why}`, {
    cause: error,
  });
}

function parseReply(route: Route, text: string, url: string): unknown {
  const { body } = route.reply;
  if (body === null || body === 'stream') return undefined;
  const parsed = body.safeParse(jsonOf(text));
  if (parsed.success) return parsed.data;
  const message = `${url} answered ${route.method} ${route.path} with something else than a registry does`;
  throw new RollcallError('registry_garbled', message, { cause: parsed.error });
}

/** A query string, `?` included; empty when nothing is given. */
function queryOf(query: CallRequest['query'] = {}): string {
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(query))
    if (value !== undefined) given.append(name, String(value));
  return given.size === 0 ? '' : `?${given.toString()}`;
}
