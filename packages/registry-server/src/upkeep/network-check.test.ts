import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import {
  type AddressInfo,
  connect,
  createServer as createTcpServer,
  type Server as TcpServer,
} from 'node:net';
import { HealthCheck } from '@rollcall/contract';
import { until } from '@rollcall/testkit';
import { afterEach, expect, onTestFinished, test } from 'vitest';
import { systemClock } from '@rollcall/runtime';
import type { InstanceRecord } from '../store/record.ts';
import { networkCheck } from './network-check.ts';

const servers: (Server | TcpServer)[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    if ('closeAllConnections' in server) server.closeAllConnections();
    server.close();
  }
});

async function listening(server: Server | TcpServer): Promise<number> {
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

const check = networkCheck(systemClock);
const recordOf = (port: number, address = '127.0.0.1') =>
  ({ body: { address, ports: { http: { port, protocol: 'TCP' } } } }) as unknown as InstanceRecord;
const run = (port: number, given: object, address?: string) =>
  check(recordOf(port, address), HealthCheck.parse({ type: 'http', timeoutMs: 300, ...given }));

async function web(): Promise<number> {
  return listening(
    createServer((request, response) => {
      const { url = '' } = request;
      if (url === '/ok') response.end('well');
      else if (url === '/sick') response.writeHead(503).end();
      else if (url === '/large') response.end(Buffer.alloc(2_000_000));
      else if (url === '/endless') response.write('begun');
      else if (url === '/dripping') setInterval(() => response.write('x'), 20).unref();
      // Every other path never answers.
    }),
  );
}

test('the status decides, and the answer has to be whole, short and in time', async () => {
  const port = await web();
  expect(await run(port, { path: '/ok' })).toBe(true);
  expect(await run(port, { path: '/sick' })).toBe(false);
  expect(await run(port, { path: '/sick', codes: [500, 599] })).toBe(true);
  for (const path of ['/endless', '/dripping', '/silent', '/large']) {
    expect(await run(port, { path, timeoutMs: path === '/large' ? 5_000 : 200 }), path).toBe(false);
  }
});

test('a check that hangs holds up no other one of the same host and port', async () => {
  const port = await web();
  const hanging = Array.from({ length: 20 }, () =>
    run(port, { path: '/silent', timeoutMs: 30_000 }),
  );
  expect(await run(port, { path: '/ok' })).toBe(true);
  expect(await run(port, { path: '/sick' })).toBe(false);
  for (const server of servers) (server as Server).closeAllConnections();
  expect(new Set(await Promise.all(hanging))).toEqual(new Set([false]));
});

test('nobody there, a server that resets, and what is no address', async () => {
  const port = await web();
  const resetting = await listening(createTcpServer((socket) => socket.resetAndDestroy()));
  expect(await run(1, { path: '/' })).toBe(false);
  expect(await run(resetting, { path: '/' })).toBe(false);
  expect(await run(port, { path: '/ok' }, 'a.0x1.')).toBe(false);
  expect(await run(port, { path: '/ok' }, 'not an address')).toBe(false);
  const tcp = (at: number, address?: string) => run(at, { type: 'tcp' }, address);
  expect(await tcp(port)).toBe(true);
  expect(await tcp(1)).toBe(false);
  expect(await tcp(port, 'not an address')).toBe(false);
});

test('an address that takes no connection is given up in time', async () => {
  // Stopped, with all its places taken: the system drops whoever else comes, as an address does that nobody has.
  const script = `require('net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, function () {
    console.log(this.address().port);
  })`;
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const port = Number(line.toString());
  child.kill('SIGSTOP');
  const waiting = Array.from({ length: 8 }, () => connect({ port, host: '127.0.0.1' }));
  onTestFinished(() => {
    for (const socket of waiting) socket.destroy();
  });
  for (const socket of waiting) socket.on('error', () => {});
  await until(() => waiting.some(({ connecting }) => !connecting));
  const beganMs = performance.now();
  const given = [{ type: 'tcp' }, { path: '/' }].map((one) =>
    run(port, { ...one, timeoutMs: 300 }),
  );
  expect(await Promise.all(given)).toEqual([false, false]);
  expect(performance.now() - beganMs).toBeGreaterThan(250);
});
