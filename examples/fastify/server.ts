// Orders, with Fastify: on the roll while it is ready, and off it without a failed call.
import { rollcallPlugin } from '@rollcall/client-sdk/fastify';
import fastify from 'fastify';

const { env } = process;
const app = fastify();
let isOpen = true;

app.get('/', async () => ({ order: 7, from: process.pid }));

// Calls the service, which is all instances of this program.
app.get('/neighbour', async () => {
  const reply = await app.rollcall.fetch('http://orders.rollcall/');
  return { neighbour: await reply.json() };
});

// Stands for what an instance needs, such as its database: while it is closed, nobody calls this instance.
app.put<{ Params: { state: string } }>('/shop/:state', async ({ params }) => {
  isOpen = params.state === 'open';
  return { isOpen };
});

await app.register(rollcallPlugin, {
  rollcall: { url: env['ROLLCALL_URL'] ?? 'http://127.0.0.1:7400' },
  service: 'orders',
  readiness: () => isOpen,
});
app.addHook('onClose', async () => console.log('closed'));
const address = await app.listen({
  host: env['HOST'] ?? '127.0.0.1',
  port: Number(env['PORT'] ?? 0),
});
console.log(`orders at ${address}`);
