import { once } from 'node:events';
import { Agent as HttpAgent, type IncomingMessage, request as requestPlainly } from 'node:http';
import { Agent as HttpsAgent, request as requestSecurely } from 'node:https';

export interface CallerOptions {
  readonly url: string;
  /** Of the authority, for https. */
  readonly ca: string;
  readonly method: 'GET' | 'POST';
  /** Whether connections are used again. */
  readonly keepsAlive: boolean;
}

/** What a caller has seen. */
export interface Tally {
  answered: number;
  /** Calls that were broken off by the end of their connection, and answered when they were made again. */
  repeated: number;
  readonly failed: string[];
}

/** How often an idempotent call is made, as RFC 9110 section 9.2.2 lets every client do when a connection ends. */
const TRIES = 3;

/** Makes calls one after another until the signal aborts. */
export async function call(
  options: CallerOptions,
  tally: Tally,
  signal: AbortSignal,
): Promise<void> {
  const { url, keepsAlive: keepAlive, ca } = options;
  const agent = url.startsWith('https')
    ? new HttpsAgent({ keepAlive, maxSockets: 1, ca })
    : new HttpAgent({ keepAlive, maxSockets: 1 });
  while (!signal.aborted) await callOnce(options, agent, tally);
  agent.destroy();
}

async function callOnce(options: CallerOptions, agent: HttpAgent, tally: Tally): Promise<void> {
  for (let tries = 1; ; tries++) {
    const outcome = await ask(options, agent).catch(
      (error: NodeJS.ErrnoException) => error.code ?? String(error),
    );
    if (outcome === '200') {
      tally.answered++;
      return;
    }
    const isBroken = outcome === 'ECONNRESET' || outcome === 'EPIPE';
    if (options.method === 'POST' || !isBroken || tries === TRIES) {
      tally.failed.push(`${options.method} ${options.url}: ${outcome}`);
      return;
    }
    tally.repeated++;
  }
}

async function ask({ url, method }: CallerOptions, agent: HttpAgent): Promise<string> {
  const request = url.startsWith('https') ? requestSecurely : requestPlainly;
  const outgoing = request(url, { agent, method, servername: 'a.test' });
  outgoing.end(method === 'POST' ? 'a body' : undefined);
  const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage];
  const body = Buffer.concat(await incoming.toArray());
  return incoming.statusCode === 200 && body.length === 1_024
    ? '200'
    : `${incoming.statusCode} ${body.toString().slice(0, 200)}`;
}
