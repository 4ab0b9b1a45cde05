import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import { MessageSplitter, framed } from '../wire/tcp-framing.ts';

const PATIENCE_MS = 5_000;

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Sends one packet and resolves with the first packet that comes back; rejects when none does. */
export function askUdp({ host, port }: Address, message: Buffer): Promise<Buffer> {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  return new Promise<Buffer>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('no answer over UDP')), PATIENCE_MS);
    socket.once('message', (answer) => {
      clearTimeout(timer);
      resolve(answer);
    });
    socket.once('error', reject);
    socket.send(message, port, host);
  }).finally(() => socket.close());
}

export interface TcpOptions {
  /** Bytes per write. @default all */
  readonly chunk?: number;
}

/** Sends all queries on one connection without waiting; resolves once there is an answer for each. */
export function askTcp(
  address: Address,
  messages: readonly Buffer[],
  { chunk = Infinity }: TcpOptions = {},
): Promise<Buffer[]> {
  const socket = connect({ ...address, noDelay: true });
  const splitter = new MessageSplitter();
  const answers: Buffer[] = [];
  return new Promise<Buffer[]>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('no answer over TCP')), PATIENCE_MS);
    socket.on('data', (bytes: Buffer) => {
      splitter.push(bytes);
      for (let one = splitter.next(); one !== undefined; one = splitter.next()) answers.push(one);
      if (answers.length < messages.length) return;
      clearTimeout(timer);
      resolve(answers);
    });
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('closed without an answer')));
    const all = Buffer.concat(messages.map(framed));
    const send = (at: number): void => {
      if (at >= all.length) return;
      const end = Math.min(all.length, at + chunk);
      socket.write(all.subarray(at, end), () => setImmediate(send, end));
    };
    send(0);
  }).finally(() => socket.destroy());
}
