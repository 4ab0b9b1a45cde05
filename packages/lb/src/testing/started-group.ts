import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import { startLoadBalancer } from '../compose.ts';
import { parseConfig } from '../config/config-file.ts';
import { FakeSource, endpoint } from './fake-source.ts';

/** A balancer with one group of these settings, before a server for each listener. */
export async function startGroup(settings: string, ...listeners: RequestListener[]) {
  const ports = await Promise.all(listeners.map(serve));
  const text = `registry: { url: http://127.0.0.1:1 }
listeners: [{ name: web, port: 0, default: { targetGroup: hello } }]
admin: { port: 0 }
accessLog: off
shutdown: { graceMs: 0 }
timeouts: { halfCloseMs: 300 }
targetGroups: { hello: { service: hello ${settings} } }
`;
  const source = new FakeSource(ports.map((port) => endpoint(port)));
  const config = parseConfig(text, 'lb.yaml', {});
  const balancer = await startLoadBalancer(config, { openSource: () => source, log: () => {} });
  onTestFinished(() => balancer.close());
  return { url: balancer.addresses.listeners['web']!, balancer, source };
}

/** A server until the test ends. @returns its port. */
export async function serve(listener: RequestListener): Promise<number> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return (server.address() as AddressInfo).port;
}
