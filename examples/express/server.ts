// Orders, with Express: on the roll while it is ready, and off it without a failed call.
import type { AddressInfo } from 'node:net';
import { Rollcall } from '@rollcall/client-sdk';
import { rollcallMiddleware, serveInstance } from '@rollcall/client-sdk/express';
import express from 'express';

const { env } = process;
const rollcall = new Rollcall({ url: env['ROLLCALL_URL'] ?? 'http://127.0.0.1:7400' });
const app = express();
let isOpen = true;

app.use(rollcallMiddleware(rollcall));

app.get('/', (_request, response) => {
  response.json({ order: 7, from: process.pid });
});

// Calls the service, which is all instances of this program.
app.get('/neighbour', async (request, response) => {
  const reply = await request.rollcall.fetch('http://orders.rollcall/');
  response.json({ neighbour: await reply.json() });
});

// Stands for what an instance needs, such as its database: while it is closed, nobody calls this instance.
app.put('/shop/:state', (request, response) => {
  isOpen = request.params.state === 'open';
  response.json({ isOpen });
});

const server = app.listen(Number(env['PORT'] ?? 0), env['HOST'] ?? '127.0.0.1');
const instance = await serveInstance(rollcall, server, {
  service: 'orders',
  readiness: () => isOpen,
});
console.log(`orders at http://127.0.0.1:${(server.address() as AddressInfo).port}`);

await instance.drained; // after SIGTERM or SIGINT
await rollcall.close();
console.log('closed');
