import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A proxy in front of a registry that counts what its clients cost. */
export interface CountingProxy {
  readonly url: string;
  /** Number of watch streams opened. */
  readonly streams: number;
  /** Bytes of responses, streams included. */
  readonly bytes: number;
  close(): Promise<void>;
}

/** Forwards everything to a registry, and counts. */
export async function countingProxy(registry: string): Promise<CountingProxy> {
  const counts = { streams: 0, bytes: 0 };
  const server = createServer((incoming, outgoing) => {
    const { method, url = '/', headers } = incoming;
    if (url.startsWith('/v1/watch?')) counts.streams++;
    const onward = request(new URL(url, registry), { method, headers }, (reply) => {
      outgoing.writeHead(reply.statusCode ?? 502, reply.headers);
      outgoing.flushHeaders();
      reply.on('data', (chunk: Buffer) => (counts.bytes += chunk.length));
      reply.pipe(outgoing);
    });
    onward.on('error', () => outgoing.destroy());
    outgoing.on('close', () => onward.destroy());
    incoming.pipe(onward);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get streams() {
      return counts.streams;
    },
    get bytes() {
      return counts.bytes;
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise<void>((done) => void server.close(() => done()));
    },
  };
}
