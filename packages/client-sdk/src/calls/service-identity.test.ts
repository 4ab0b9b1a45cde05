import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { ConnectionOptions } from 'node:tls';
import { Agent, request } from 'undici';
import { afterEach, describe, expect, test } from 'vitest';
import { TestContext } from '../testing/context.ts';
import { endpointAt } from '../testing/fake-registry.ts';
import { serveOrders } from '../testing/served.ts';

const context = new TestContext();
afterEach(() => context.end());

const pem = (name: string) => readFileSync(new URL(`../testing/tls/${name}.pem`, import.meta.url));

/** `orders` with one instance whose certificate is that of `name`, which the client trusts. */
async function over(name: string, connect: Pick<ConnectionOptions, 'servername'> = {}) {
  const certificate = pem(name);
  const hosts: unknown[] = [];
  const server = createServer({ key: certificate, cert: certificate }, (incoming, response) => {
    hosts.push((incoming.socket as unknown as { servername: unknown }).servername);
    response.end('alive');
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  context.onEnd(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as { port: number };
  const calls = { connect: { ca: certificate, ...connect } };
  const { client, registry } = await serveOrders(context, [port], { calls });
  registry.roll.set('stock', [endpointAt(port)]);
  return { client, hosts };
}

const textOf = async (reply: Promise<{ body: { text(): Promise<string> } }>) =>
  (await reply).body.text();

describe('over https a certificate is for the service', () => {
  test.each(['orders', 'orders-short'])('one of %s is taken, by every way', async (name) => {
    const { client, hosts } = await over(name);
    const service = client.service('orders', { scheme: 'https' });
    expect(await textOf(service.request('/'))).toBe('alive');
    expect(await (await service.fetch('/')).text()).toBe('alive');
    const agent = new Agent();
    context.onEnd(() => agent.destroy());
    const dispatcher = agent.compose(client.interceptor());
    expect(await textOf(request('https://orders.rollcall/', { dispatcher }))).toBe('alive');
    expect(new Set(hosts)).toEqual(new Set(['orders.default.rollcall']));
  });

  test('one of another service is not, though it is for the address', async () => {
    const { client } = await over('stock');
    const service = client.service('orders', { scheme: 'https' });
    await expect(service.request('/')).rejects.toMatchObject({
      code: 'connect_failed',
      cause: { code: 'ERR_TLS_CERT_ALTNAME_INVALID' },
    });
    expect(await textOf(client.service('stock', { scheme: 'https' }).request('/'))).toBe('alive');
  });

  test('a name of its own for one service, or for all of a client', async () => {
    const one = await over('stock');
    const options = { scheme: 'https', servername: 'stock.default.rollcall' } as const;
    expect(await textOf(one.client.service('orders', options).request('/'))).toBe('alive');
    const all = await over('stock', { servername: 'stock.default.rollcall' });
    const service = all.client.service('orders', { scheme: 'https' });
    expect(await textOf(service.request('/'))).toBe('alive');
  });
});
