import type { RequestView, Respond } from '@rollcall/dataplane';
import { type Clock, deadline } from '@rollcall/runtime';
import { Agent, type Dispatcher, request as ask } from 'undici';
import type { ForwardAuthConfig } from '../../config/rule-schema.ts';
import { type Gate, type Question, questionOf, type Verdict } from './gate.ts';

/** Fields of the request that are passed on with the question. */
const PASSED_FIELDS = ['authorization', 'cookie', 'user-agent', 'accept', 'origin', 'x-request-id'];
const CONNECTIONS = 64;
/** Longest answer that is passed on, in bytes. */
const ANSWER_BYTES = 65_536;
const SAFE_VALUE = /^[\x20-\x7e]*$/;

const UNAVAILABLE: Respond = Object.freeze({
  kind: 'respond',
  status: 503,
  code: 'auth_unavailable',
  detail: 'nobody can say at the moment whether this request may pass',
});

/** Asks somebody whether a request may pass, as nginx's auth_request and Traefik's ForwardAuth do. */
export class ForwardAuth implements Gate {
  readonly #config: ForwardAuthConfig;
  readonly #agent: Dispatcher;
  readonly #clock: Pick<Clock, 'after'>;

  constructor(config: ForwardAuthConfig, clock: Pick<Clock, 'after'>) {
    this.#config = config;
    this.#clock = clock;
    const { timeoutMs } = config;
    this.#agent = new Agent({
      connections: CONNECTIONS,
      connectTimeout: timeoutMs,
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
      maxResponseSize: ANSWER_BYTES,
    });
  }

  judge(request: RequestView): Question {
    const { method, host, target, clientAddress, isSecure } = request;
    const headers: Record<string, string> = {
      'x-forwarded-method': method,
      'x-forwarded-proto': isSecure ? 'https' : 'http',
      'x-forwarded-host': host,
      'x-forwarded-uri': target,
      'x-forwarded-for': clientAddress,
      'x-original-uri': target,
    };
    for (const name of PASSED_FIELDS) {
      const value = request.field(name);
      if (value !== undefined) headers[name] = value;
    }
    if (request.requestId !== '') headers['x-request-id'] = request.requestId;
    return questionOf(
      (signal) => this.#ask(headers, signal),
      (error) => ({ ...UNAVAILABLE, cause: `forwardAuth: ${(error as Error).message}` }),
    );
  }

  async #ask(headers: Record<string, string>, signal: AbortSignal): Promise<Verdict> {
    const { url, forward, timeoutMs } = this.#config;
    const limit = AbortSignal.any([signal, deadline(this.#clock, timeoutMs)]);
    const reply = await ask(url, { dispatcher: this.#agent, headers, signal: limit });
    if (reply.statusCode >= 200 && reply.statusCode < 300) {
      await reply.body.dump();
      const lines = forward.flatMap((name) => linesOf(name, reply.headers[name.toLowerCase()]));
      const removed = forward.map((name) => name.toLowerCase());
      return { kind: 'granted', removed, lines: lines.join('') };
    }
    return refusalOf(reply.statusCode, reply.headers, await reply.body.text());
  }
}

function linesOf(name: string, value: string | string[] | undefined): string[] {
  const values = value === undefined ? [] : [value].flat();
  return values.filter((one) => SAFE_VALUE.test(one)).map((one) => `${name}: ${one}\r\n`);
}

/** The client gets the answer of the service that was asked, so that this can send it to a login. */
function refusalOf(
  status: number,
  headers: Dispatcher.ResponseData['headers'],
  body: string,
): Respond {
  if (status >= 500) return { ...UNAVAILABLE, cause: `forwardAuth: it answered ${status}` };
  const passed = ['location', 'set-cookie', 'www-authenticate', 'cache-control'];
  const fields = passed.flatMap((name) =>
    linesOf(name, headers[name]).map((line) => line.slice(0, -2)),
  );
  const type = String(headers['content-type'] ?? 'text/plain; charset=utf-8');
  return {
    kind: 'respond',
    status,
    code: 'auth_refused',
    detail: 'the request may not pass',
    content: { type, body },
    fields,
  };
}
