import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { startLoadBalancer } from './compose.ts';
import { parseConfig } from './config/config-file.ts';
import { FakeSource, endpoint } from './testing/fake-source.ts';

/** A balancer with one group of these settings, before a server for each listener. */
async function start(settings: string, ...listeners: RequestListener[]) {
  const ports = await Promise.all(listeners.map(serve));
  const text = `registry: { url: http://127.0.0.1:1 }
listeners: [{ name: web, port: 0, default: { targetGroup: hello } }]
admin: { port: 0 }
accessLog: off
targetGroups: { hello: { service: hello ${settings} } }
`;
  const source = new FakeSource(ports.map((port) => endpoint(port)));
  const config = parseConfig(text, 'lb.yaml', {});
  const balancer = await startLoadBalancer(config, { openSource: () => source, log: () => {} });
  onTestFinished(() => balancer.close());
  return { url: balancer.addresses.listeners['web']!, balancer, source };
}

async function serve(listener: RequestListener): Promise<number> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return (server.address() as AddressInfo).port;
}

const answer =
  (status: number): RequestListener =>
  (_, response) =>
    void response.writeHead(status).end(`status ${status}`);

test.each([
  ['', [200, 200, 503, 503]],
  [", retry: { codes: '500,502-504' }", [200, 200, 200, 200]],
  [", retry: { codes: '500' }", [200, 200, 503, 503]],
])('retries by codes%s', async (settings, statuses) => {
  const { url } = await start(settings, answer(503), answer(200));
  const seen: number[] = [];
  for (let i = 0; i < 4; i++) seen.push((await fetch(url)).status);
  expect(seen.toSorted((a, b) => a - b)).toEqual(statuses);
});
