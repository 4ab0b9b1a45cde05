import { connect } from 'node:net';
import { usageError } from '../base/cli-error.ts';
import { type Clock, sleep } from '@rollcall/runtime';

const LOOK_EVERY_MS = 50;
/** After this a person wants to know what is waited for, in ms. */
const SLOW_MS = 3_000;

export interface Port {
  readonly name: string;
  readonly port: number;
  readonly containerPort?: number;
  readonly protocol: 'TCP' | 'UDP' | 'SCTP';
}

/**
 * Parses `80`, `http=3001`, `http=3001:80/TCP`: name, port on which it listens, container port for manifests, protocol.
 */
export function portOf(text: string, index: number): Port {
  const [, name, port, containerPort, protocol = 'TCP'] =
    /^(?:([a-z0-9-]+)=)?(\d{1,5})(?::(\d{1,5}))?(?:\/(TCP|UDP|SCTP))?$/i.exec(text) ?? [];
  if (port === undefined) {
    throw usageError(`--port: expected [NAME=]PORT[:CONTAINERPORT][/PROTOCOL], got "${text}"`);
  }
  return {
    name: name ?? (index === 0 ? 'http' : `port-${port}`),
    port: Number(port),
    ...(containerPort === undefined ? {} : { containerPort: Number(containerPort) }),
    protocol: protocol.toUpperCase() as Port['protocol'],
  };
}

/** Whether a TCP port accepts a connection. */
function answers(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const end = (is: boolean) => {
      socket.destroy();
      resolve(is);
    };
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
  });
}

/** Waits until every TCP port listens. False: the signal was aborted first, or the time is over. */
export async function listening(
  ports: readonly Port[],
  host: string,
  given: {
    readonly clock: Clock;
    readonly withinMs: number;
    readonly signal: AbortSignal;
    /** Called once, when a port takes long. */
    readonly onSlow: (port: number) => void;
  },
): Promise<boolean> {
  const { clock, withinMs, signal } = given;
  const slowMs = clock.monotonicMs() + SLOW_MS;
  let isSlow = false;
  const endMs = clock.monotonicMs() + withinMs;
  for (const { port, protocol } of ports) {
    if (protocol !== 'TCP') continue;
    while (!(await answers(host, port))) {
      if (signal.aborted || clock.monotonicMs() > endMs) return false;
      if (!isSlow && clock.monotonicMs() > slowMs) {
        isSlow = true;
        given.onSlow(port);
      }
      await sleep(clock, LOOK_EVERY_MS, signal);
    }
  }
  return !signal.aborted;
}
