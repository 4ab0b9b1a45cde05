import { once } from 'node:events';
import { type RequestListener, createServer } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { connect, type ConnectionOptions, type TlsOptions, type TLSSocket } from 'node:tls';
import { text } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';
import { type LoadBalancer, type LoadBalancerParts, startLoadBalancer } from '../compose.ts';
import { parseConfig } from '../config/config-file.ts';
import { FakeSource, endpoint } from './fake-source.ts';

/** What a test's balancer logs, with its level. */
export type LogLines = string[];

/** A balancer with these keys, whose target groups all have the instances at `ports`. */
export async function startTlsBalancer(
  keys: string,
  ports: readonly number[],
  parts: LoadBalancerParts = {},
): Promise<{ balancer: LoadBalancer; lines: LogLines }> {
  const config = parseConfig(
    `registry: { url: http://127.0.0.1:1 }
admin: { port: 0 }
accessLog: off
${keys.includes('targetGroups') ? '' : 'targetGroups: { hello: { service: hello } }'}
${keys}
`,
    'lb.yaml',
    {},
  );
  const lines: LogLines = [];
  const source = new FakeSource(ports.map((port) => endpoint(port)));
  const balancer = await startLoadBalancer(config, {
    openSource: () => source,
    log: (message, level = 'info') => void lines.push(`${level}: ${message}`),
    ...parts,
  });
  onTestFinished(() => balancer.close());
  return { balancer, lines };
}

/** An instance, over TLS if there are options for it. Returns its port. */
export async function serveInstance(answer: RequestListener, tls?: TlsOptions): Promise<number> {
  const server = tls === undefined ? createServer(answer) : createSecureServer(tls, answer);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return (server.address() as AddressInfo).port;
}

export function portOf(balancer: LoadBalancer, listener: string): number {
  return Number(new URL(balancer.addresses.listeners[listener]!).port);
}

/** A client that has completed its handshake; rejects with the fault of the handshake. */
export async function openTls(port: number, options: ConnectionOptions): Promise<TLSSocket> {
  const socket = connect({ port, host: '127.0.0.1', ...options });
  onTestFinished(() => void socket.destroy());
  await once(socket, 'secureConnect');
  socket.on('error', () => {});
  return socket;
}

/** Sends one GET over TLS. Returns the whole answer. */
export async function getOver(socket: TLSSocket, fields = ''): Promise<string> {
  socket.write(`GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n${fields}\r\n`);
  return text(socket);
}
