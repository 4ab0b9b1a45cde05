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

const server = createServer((request, response) => {
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify({ products: PRODUCTS, from: process.pid }));
  request.resume();
}).listen(0, '127.0.0.1');
await once(server, 'listening');
const { port } = server.address() as AddressInfo;

const rollcall = new Rollcall({
  url: process.env['ROLLCALL_URL'] ?? 'http://127.0.0.1:7400',
  logger: console,
});
// Drains on Ctrl-C and SIGTERM: what is under way is answered first.
await rollcall.register({ service: 'catalog', port, signals: true });
console.log(`catalog ${process.pid} on port ${port}`);
