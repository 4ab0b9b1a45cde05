import { once } from 'node:events';
import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Endpoint } from '@rollcall/client-sdk';
import { onTestFinished } from 'vitest';
import { endpoint } from './snapshots.ts';

/** HTTP servers for one test that answer every request with their name. */
export class WebInstances {
  readonly #servers: Server[] = [];

  constructor() {
    onTestFinished(() => {
      for (const server of this.#servers) {
        server.closeAllConnections();
        server.close();
      }
    });
  }

  /** @param port 0 = a free one */
  async start(name: string, host = '127.0.0.1', port = 0): Promise<Endpoint> {
    const server = createServer((_request, response) => response.end(name));
    this.#servers.push(server);
    server.listen(port, host);
    await once(server, 'listening');
    const { port: own } = server.address() as AddressInfo;
    return endpoint({ instance: name, address: host, port: own });
  }

  startAll(names: readonly string[]): Promise<Endpoint[]> {
    return Promise.all(names.map((name) => this.start(name)));
  }
}

/** The names that answer to this many requests, each on a new connection. */
export async function answering(url: string, requests: number): Promise<Set<string>> {
  const names = new Set<string>();
  for (let i = 0; i < requests; i++) {
    const answer = await fetch(url, { headers: { connection: 'close' } });
    if (answer.status !== 200) throw new Error(`${answer.status}`);
    names.add(await answer.text());
  }
  return names;
}
