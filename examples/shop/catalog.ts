// What the shop sells. Start as many as you like: each takes a free port and puts itself on the roll.
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { Rollcall } from '@rollcall/client-sdk';

const PRODUCTS = [
  { id: 'kettle', price: 29 },
  { id: 'teapot', price: 35 },
  { id: 'cup', price: 9 },
];

const { env } = process;
const instance = env['INSTANCE'] ?? `catalog-${process.pid}`;
const server = createServer((request, response) => {
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify({ products: PRODUCTS, from: instance }));
  request.resume();
}).listen(Number(env['PORT'] ?? 0), env['HOST'] ?? '127.0.0.1');
await once(server, 'listening');
const { port } = server.address() as AddressInfo;

const rollcall = new Rollcall({
  url: env['ROLLCALL_URL'] ?? 'http://127.0.0.1:7400',
  token: env['ROLLCALL_TOKEN'],
  logger: console,
});
// Drains on Ctrl-C and SIGTERM: what is under way is answered first.
await rollcall.register({ service: 'catalog', id: instance, port, signals: true });
console.log(`${instance} on port ${port}`);
