import { connect } from 'node:net';
import { type HealthCheck, urlHostOf } from '@rollcall/contract';
import { Client } from 'undici';
import type { Clock } from '@rollcall/runtime';
import type { RunCheck } from './checker.ts';

/** A longer answer fails the check, in bytes. */
const MOST_BYTES = 1_048_576;

interface Place {
  readonly host: string;
  readonly port: number;
}

type HttpCheck = Extract<HealthCheck, { type: 'http' }>;

/**
 * Checks over the network: a TCP connect, or an HTTP GET whose status must be in a range. Each check has its own
 * connection, so that none waits for another. The timeout covers everything up to the last byte of the answer.
 */
export function networkCheck(clock: Clock): RunCheck {
  return async ({ body }, check) => {
    const named = check.port ?? ('http' in body.ports ? 'http' : Object.keys(body.ports)[0]);
    const port = body.ports[named ?? '']?.port;
    if (port === undefined) return false;
    const place = { host: body.address, port };
    const late = new AbortController();
    const timer = clock.after(check.timeoutMs, () => late.abort());
    try {
      return check.type === 'tcp'
        ? await canConnect(place, late.signal)
        : await isAnswered(place, check, late.signal);
    } catch {
      // Any error fails the check: an impossible address, a reset, an incomplete answer.
      return false;
    } finally {
      timer.cancel();
    }
  };
}

async function isAnswered(
  { host, port }: Place,
  { path, codes: [lowest, highest] }: HttpCheck,
  signal: AbortSignal,
): Promise<boolean> {
  const client = new Client(`http://${urlHostOf(host)}:${port}`);
  // Ends the request in any state, even while connecting.
  const end = () => void client.destroy().catch(() => {});
  signal.addEventListener('abort', end, { once: true });
  try {
    const headers = { 'user-agent': 'rollcall-check', connection: 'close' };
    const reply = await client.request({ method: 'GET', path, headers, signal });
    let bytes = 0;
    for await (const chunk of reply.body as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > MOST_BYTES) return false;
    }
    return reply.statusCode >= lowest && reply.statusCode <= highest;
  } finally {
    signal.removeEventListener('abort', end);
    end();
  }
}

function canConnect({ host, port }: Place, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const end = (isPass: boolean) => {
      signal.removeEventListener('abort', fail);
      socket.destroy();
      resolve(isPass);
    };
    const fail = () => end(false);
    signal.addEventListener('abort', fail, { once: true });
    socket.once('connect', () => end(true));
    socket.on('error', fail);
  });
}
