// Orders, with Hono: on the roll while it is ready, and off it without a failed call.
import type { AddressInfo } from 'node:net';
import { serve } from '@hono/node-server';
import { Rollcall } from '@rollcall/client-sdk';
import { type RollcallEnv, rollcallMiddleware, serveInstance } from '@rollcall/client-sdk/hono';
import { Hono } from 'hono';

const { env } = process;
const rollcall = new Rollcall({ url: env['ROLLCALL_URL'] ?? 'http://127.0.0.1:7400' });
const app = new Hono<RollcallEnv>();
let isOpen = true;

app.use(rollcallMiddleware(rollcall));

app.get('/', (c) => c.json({ order: 7, from: process.pid }));

// Calls the service, which is all instances of this program.
app.get('/neighbour', async (c) => {
  const reply = await c.var.rollcall.fetch('http://orders.rollcall/');
  return c.json({ neighbour: await reply.json() });
});

// Stands for what an instance needs, such as its database: while it is closed, nobody calls this instance.
app.put('/shop/:state', (c) => {
  isOpen = c.req.param('state') === 'open';
  return c.json({ isOpen });
});

const hostname = env['HOST'] ?? '127.0.0.1';
const server = serve({ fetch: app.fetch, port: Number(env['PORT'] ?? 0), hostname });
const instance = await serveInstance(rollcall, server, {
  service: 'orders',
  readiness: () => isOpen,
});
console.log(`orders at http://127.0.0.1:${(server.address() as AddressInfo).port}`);

await instance.drained; // after SIGTERM or SIGINT
await rollcall.close();
console.log('closed');
