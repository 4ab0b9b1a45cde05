import { ConfigError, StartError, urlHostOf } from '@rollcall/daemon';
import { type Clock, deadline } from '@rollcall/runtime';
import { request } from 'undici';
import type { Config } from '../config/schema.ts';

const LIMIT_MS = 10_000;
const ANY_ADDRESS = new Set(['0.0.0.0', '::']);
const LOOPBACK = '127.0.0.1';

/** Where the admin port of a configuration is. @throws ConfigError when any free port is taken. */
export function adminUrlOf({ admin: { host, port } }: Pick<Config, 'admin'>): string {
  if (port === 0) throw new ConfigError('--admin: missing, since admin.port of the file is 0');
  return `http://${urlHostOf(ANY_ADDRESS.has(host) ? LOOPBACK : host)}:${port}`;
}

/** The admin port of a running balancer. */
export class AdminClient {
  readonly #url: string;
  readonly #clock: Pick<Clock, 'after'>;

  constructor(url: string, clock: Pick<Clock, 'after'>) {
    this.#url = url.replace(/\/+$/, '');
    this.#clock = clock;
  }

  get(path: string): Promise<unknown> {
    return this.#ask('GET', path);
  }

  post(path: string): Promise<unknown> {
    return this.#ask('POST', path);
  }

  /** @throws StartError when it cannot be reached, or refuses. */
  async #ask(method: 'GET' | 'POST', path: string): Promise<unknown> {
    const signal = deadline(this.#clock, LIMIT_MS);
    const reply = await request(this.#url + path, { method, signal }).catch((error: unknown) => {
      const { code, message } = error as NodeJS.ErrnoException;
      throw new StartError(`no answer from ${this.#url}: ${code ?? message}`);
    });
    const text = await reply.body.text();
    const body = parse(text);
    if (reply.statusCode < 400) return body;
    const { detail = `it answered ${reply.statusCode}` } = body as { readonly detail?: string };
    throw new StartError(detail);
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new StartError('what answers there is no admin port of rollcall-lb');
  }
}
