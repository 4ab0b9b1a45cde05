// The shop itself: one page, made of what two other services say. It goes on when one of them is away.
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { Rollcall } from '@rollcall/client-sdk';

interface Catalog {
  readonly products: readonly { readonly id: string; readonly price: number }[];
  readonly from: string;
}

const { env } = process;
const instance = env['INSTANCE'] ?? `shop-${process.pid}`;
const rollcall = new Rollcall({
  url: env['ROLLCALL_URL'] ?? 'http://127.0.0.1:7400',
  token: env['ROLLCALL_TOKEN'],
  logger: console,
});
const catalog = rollcall.service('catalog');
const stock = rollcall.service('stock');

/** How many of a product there are; undefined when nobody knows at the moment. */
async function stockOf(id: string): Promise<number | undefined> {
  try {
    const { body } = await stock.request(`/stock/${id}`);
    return ((await body.json()) as { count: number }).count;
  } catch {
    return undefined;
  }
}

async function page(): Promise<string> {
  const { body } = await catalog.request('/products');
  const { products, from } = (await body.json()) as Catalog;
  const lines = await Promise.all(
    products.map(async ({ id, price }) => {
      const count = await stockOf(id);
      return `${id}: ${price} EUR, ${count === undefined ? 'stock unknown' : `${count} left`}`;
    }),
  );
  return `${lines.join('\n')}\n(from ${instance} and ${from})\n`;
}

const server = createServer((request, response) => {
  request.resume();
  page().then(
    (text) => response.end(text),
    (error: Error) => response.writeHead(503).end(`the shop is closed: ${error.message}\n`),
  );
}).listen(Number(env['PORT'] ?? 0), env['HOST'] ?? '127.0.0.1');
await once(server, 'listening');
const { port } = server.address() as AddressInfo;
await rollcall.register({ service: 'shop', id: instance, port, signals: true });
console.log(`${instance} on port ${port}`);
