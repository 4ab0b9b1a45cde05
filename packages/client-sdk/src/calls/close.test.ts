import { createServer, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { SYSTEM_RUNTIME } from '../base/system-runtime.ts';
import { TestContext } from '../testing/context.ts';
import { serveOrders } from '../testing/served.ts';
import { until } from '../testing/watched.ts';

const context = new TestContext();
afterEach(() => context.end());

/** An instance that takes requests and never answers. */
async function silentInstance() {
  const sockets = new Set<Socket>();
  let requests = 0;
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('data', () => requests++);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  context.onEnd(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const { port } = server.address() as { port: number };
  return { port, sockets, requests: () => requests };
}

test.each(['there', 'gone'])(
  'closing ends the connections to an endpoint that is %s, and the calls on them',
  async (where) => {
    const silent = await silentInstance();
    // The grace of 5 s is over at once.
    const after: typeof SYSTEM_RUNTIME.after = (delayMs, act, options) =>
      SYSTEM_RUNTIME.after(delayMs === 5_000 ? 50 : delayMs, act, options);
    const { registry, service } = await serveOrders(context, [silent.port], {
      runtime: { after },
    });
    const outcome = service.request('/x').catch((error: unknown) => error);
    await until(() => silent.requests() === 1);
    if (where === 'gone') {
      registry.change('orders', [], [`i-${silent.port}/http`]);
      await until(() => service.endpoints().length === 0);
    }
    expect(service.stats().inFlight).toBe(1);
    await service.close();
    expect(await outcome).toMatchObject({ code: 'response_lost' });
    expect(service.stats().inFlight).toBe(0);
    await until(() => silent.sockets.size === 0);
  },
);
