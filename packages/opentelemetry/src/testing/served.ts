import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Rollcall, type RollcallOptions, type Service } from '@rollcall/client-sdk';
import { endpointAt, FakeRegistry } from '@rollcall/client-sdk/testing';

type Ending = () => unknown;

/** Instances of `orders`, a registry that shows them, and a client; all ended by `end`. */
export class Served {
  /** Headers of the requests that the instances received, in order. */
  readonly seen: IncomingHttpHeaders[] = [];
  readonly #endings: Ending[] = [];

  onEnd(ending: Ending): void {
    this.#endings.push(ending);
  }

  /** Starts an instance. Returns its port. */
  async instance(answer: RequestListener = (_request, response) => response.end('ok')) {
    const server = createServer((request, response) => {
      this.seen.push(request.headers);
      answer(request, response);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    this.onEnd(async () => {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    });
    return (server.address() as AddressInfo).port;
  }

  /** `orders` at these ports: the first one is called first. */
  async orders(
    ports: readonly number[],
    given: Partial<RollcallOptions> = {},
  ): Promise<{ client: Rollcall; service: Service; registry: FakeRegistry }> {
    const registry = await FakeRegistry.start();
    this.onEnd(() => registry.kill());
    const endpoints = ports.map((port) => endpointAt(port, { zone: 'z1' }));
    registry.roll.set('orders', endpoints);
    const runtime = { random: () => 0 };
    const client = new Rollcall({ url: registry.url, policy: 'round-robin', runtime, ...given });
    this.onEnd(() => client.close());
    const service = client.service('orders');
    await service.ready({ endpoints: 0 });
    return { client, service, registry };
  }

  async end(): Promise<void> {
    for (const ending of this.#endings.splice(0).toReversed()) await ending();
  }
}
