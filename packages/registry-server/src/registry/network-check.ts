import { connect } from 'node:net';
import { type Dispatcher, request } from 'undici';
import type { Clock } from '../runtime/clock.ts';
import type { RunCheck } from './checker.ts';

/** Checks over the network: a TCP connect, or an HTTP GET whose status must lie in a range. */
export function networkCheck(dispatcher: Dispatcher, clock: Clock): RunCheck {
  return async ({ body }, check) => {
    const named = check.port ?? ('http' in body.ports ? 'http' : Object.keys(body.ports)[0]);
    const port = body.ports[named ?? '']?.port;
    if (port === undefined) return false;
    if (check.type === 'tcp') return canConnect(body.address, port, check.timeoutMs);
    const late = new AbortController();
    const timer = clock.after(check.timeoutMs, () => late.abort());
    try {
      const host = body.address.includes(':') ? `[${body.address}]` : body.address;
      const reply = await request(`http://${host}:${port}${check.path}`, {
        dispatcher,
        signal: late.signal,
        headers: { 'user-agent': 'rollcall-check' },
      });
      await reply.body.dump();
      const [lowest, highest] = check.codes;
      return reply.statusCode >= lowest && reply.statusCode <= highest;
    } catch {
      return false;
    } finally {
      timer.cancel();
    }
  };
}

function canConnect(host: string, port: number, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: timeoutMs });
    const end = (isPass: boolean) => {
      socket.destroy();
      resolve(isPass);
    };
    socket.once('connect', () => end(true));
    socket.once('timeout', () => end(false));
    socket.once('error', () => end(false));
  });
}
