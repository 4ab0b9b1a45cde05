import type { Clock } from '@rollcall/runtime';
import { handleBindings } from './handle-bindings.ts';
import { HandleTransport } from './handle-transport.ts';
import { NetTransport, type NetTransportOptions } from './net-transport.ts';
import type { Connection, Transport } from './transport.ts';

const HELLO = Buffer.from('probe');
const PROBE_MS = 1_000;

export interface TransportChoice extends NetTransportOptions {
  /** `auto`: the fastest transport that works here; `net`: always the public API. @default 'auto' */
  readonly io?: 'auto' | 'net';
}

/**
 * Chooses a transport: bare handles if this Node.js has them and they pass a test over loopback, else the
 * public `net`. Called once, at start.
 */
export async function openTransport(
  { io = 'auto', ...options }: TransportChoice,
  clock: Pick<Clock, 'every'>,
): Promise<Transport> {
  const bindings = io === 'auto' ? handleBindings() : undefined;
  if (bindings === undefined) return new NetTransport(options);
  const fast = new HandleTransport(bindings, options);
  return (await carriesBytes(fast, clock)) ? fast : new NetTransport(options);
}

/** Whether bytes over a transport arrive, are answered, and end. */
async function carriesBytes(transport: Transport, clock: Pick<Clock, 'every'>): Promise<boolean> {
  const outcome = Promise.withResolvers<boolean>();
  const patience = clock.every(PROBE_MS, () => outcome.resolve(false));
  try {
    const listener = await transport.listen({ host: '127.0.0.1', port: 0 }, echo);
    const connection = transport.connect(listener.address, {
      onConnect: () => void connection.write(HELLO, 0, HELLO.length),
      onData: (buffer, start, end) => {
        if (buffer.subarray(start, end).equals(HELLO)) connection.shutdown();
        else connection.close();
      },
      onDrain() {},
      onEnd: () => outcome.resolve(true),
      onClose: () => outcome.resolve(false),
    });
    const isFine = await outcome.promise;
    connection.close();
    await listener.close();
    return isFine;
  } catch {
    return false;
  } finally {
    patience.cancel();
  }
}

function echo(connection: Connection) {
  return {
    onData: (buffer: Buffer, start: number, end: number) => {
      connection.write(Buffer.from(buffer.subarray(start, end)), 0, end - start);
    },
    onDrain() {},
    onEnd: () => connection.shutdown(),
    onClose() {},
  };
}
