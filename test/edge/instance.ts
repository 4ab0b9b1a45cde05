// One instance of `orders`: 1 KB over HTTP/1.1, after up to 5 ms. It leaves when its callers know.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Rollcall, serveUntilDrained } from '@rollcall/client-sdk';

const LONGEST_MS = 5;
const BODY = 'x'.repeat(1_024);
const [, , registry = '', id = ''] = process.argv;

const server = createServer((request, response) => {
  request.resume();
  request.on('end', () => setTimeout(() => response.end(BODY), Math.random() * LONGEST_MS));
}).listen(0, '127.0.0.1');
await once(server, 'listening');
const { port } = server.address() as AddressInfo;
const rollcall = new Rollcall({ url: registry });
const registration = await rollcall.register({ service: 'orders', id, port, address: '127.0.0.1' });
process.stdout.write('up\n');
await serveUntilDrained(server, registration);
await rollcall.close();
