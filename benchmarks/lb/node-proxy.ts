// A proxy of an npm package, with an access log: http-proxy | reply-from, PORT... Prints its port.
import { createWriteStream } from 'node:fs';
import { Agent, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import replyFrom from '@fastify/reply-from';
import fastify from 'fastify';
import httpProxy from 'http-proxy';

const [name = '', logFile = '', ...ports] = process.argv.slice(2);
const targets = ports.map((port) => `http://127.0.0.1:${port}`);
let at = 0;
const next = () => targets[(at = (at + 1) % targets.length)]!;
const log = createWriteStream(logFile, { flags: 'a' });

async function startHttpProxy(): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: 256 });
  const proxy = httpProxy.createProxyServer({ agent });
  proxy.on('error', (error) => console.error(error.message));
  const server = createServer((request, response) => {
    const startMs = performance.now();
    response.on('finish', () => {
      const ms = (performance.now() - startMs).toFixed(1);
      log.write(`${request.method} ${request.url} ${response.statusCode} ${ms}\n`);
    });
    proxy.web(request, response, { target: next() });
  });
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

async function startReplyFrom(): Promise<number> {
  const app = fastify({ keepAliveTimeout: 60_000 });
  await app.register(replyFrom, { undici: { connections: 256 } });
  app.addHook('onResponse', async (request, reply) => {
    log.write(
      `${request.method} ${request.url} ${reply.statusCode} ${reply.elapsedTime.toFixed(1)}\n`,
    );
  });
  app.all('/*', (request, reply) => {
    void reply.from(`${next()}${request.url}`);
  });
  await app.listen({ port: 0, host: '127.0.0.1' });
  return (app.server.address() as AddressInfo).port;
}

const port = await (name === 'http-proxy' ? startHttpProxy() : startReplyFrom());
process.stdout.write(`port ${port}\n`);
