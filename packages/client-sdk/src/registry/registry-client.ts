import { pathOf, type Route, type RouteName, ROUTES } from '@rollcall/contract';
import pRetry from 'p-retry';
import { Agent, type Dispatcher } from 'undici';
import { RollcallError } from '../error.ts';
import type { ResolvedOptions } from '../options.ts';
import type { CallRequest, RegistryApi, ReplyOf } from './registry-api.ts';
import { errorOfReply, jsonOf } from './reply.ts';
import { UrlRing } from './url-ring.ts';

/** Pause between two tries of a round, in ms. */
const BETWEEN_TRIES_MS = 20;

/** The registry over HTTP. Every call that it makes may be repeated: that is how the API is made. */
export class RegistryClient implements RegistryApi {
  readonly urls: readonly string[];
  readonly #options: ResolvedOptions;
  readonly #agent: Agent;
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

  async open(url: string, path: string, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
    const reply = await this.#send(url, path, {
      method: 'GET',
      headers: { accept: 'text/event-stream' },
      bodyTimeout: 0,
      signal,
    });
    if (reply.statusCode === 200) return reply;
    throw errorOfReply(reply.statusCode, reply.headers, await textOf(reply));
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  async #attempt(route: Route, request: CallRequest): Promise<unknown> {
    const url = this.#ring.current;
    try {
      const reply = await this.#send(url, pathOf(route, request.params) + queryOf(request.query), {
        method: route.method,
        ...bodyOf(route, request.body),
        ...timeoutsOf(request),
        ...(request.signal === undefined ? {} : { signal: request.signal }),
      });
      const text = await textOf(reply);
      if (reply.statusCode !== route.reply.status)
        throw errorOfReply(reply.statusCode, reply.headers, text);
      return parseReply(route, text);
    } catch (error) {
      if (!(error instanceof RollcallError) || error.retryable) this.#ring.leave(url);
      throw error;
    }
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
      return await this.#agent.request({ ...options, origin, path: prefix + path, headers });
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

function timeoutsOf({ timeoutMs }: CallRequest) {
  return timeoutMs === undefined ? {} : { headersTimeout: timeoutMs, bodyTimeout: timeoutMs };
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

/** Reads a reply's body; one that breaks off counts as no answer. */
async function textOf(reply: Dispatcher.ResponseData): Promise<string> {
  try {
    return await reply.body.text();
  } catch (error) {
    throw unreachable('the registry', error);
  }
}

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

function parseReply(route: Route, text: string): unknown {
  const { body } = route.reply;
  if (body === null || body === 'stream') return undefined;
  const parsed = body.safeParse(jsonOf(text));
  if (parsed.success) return parsed.data;
  throw new RollcallError('registry_garbled', `${route.method} ${route.path}: unexpected reply`, {
    cause: parsed.error,
  });
}

/** A query string, `?` included; empty when nothing is given. */
function queryOf(query: CallRequest['query'] = {}): string {
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(query))
    if (value !== undefined) given.append(name, String(value));
  return given.size === 0 ? '' : `?${given.toString()}`;
}
