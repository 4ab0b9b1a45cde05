import { once } from 'node:events';
import { createServer, get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { Rollcall } from '@rollcall/client-sdk';
import { freePort, until } from '@rollcall/testkit';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { Stack } from './support/stack.ts';

// Who may take a call is one decision: client, balancer and proxy come to the same answer.

let stack: Stack;
let url: string;
let rollcall: Rollcall;
beforeAll(async () => {
  stack = new Stack();
  const flags = ['--service-cidr', '127.79.0.0/16', '--warm-up-ms', '0', '--guard-ms', '600000'];
  ({ url } = await stack.registry(flags));
  await stack.planes(url);
  rollcall = stack.client([url]);
}, 180_000);
afterAll(() => stack.close());

let service = '';
let count = 0;
beforeEach(() => {
  service = `s${++count}`;
});

interface Answering {
  readonly port: number;
  /** Of what it answers from now on. */
  status: number;
}

/** Something that answers with its name. */
async function answering(name: string): Promise<Answering> {
  const own = { port: 0, status: 200 };
  const server = createServer((_, response) => {
    response.statusCode = own.status;
    response.end(name);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  own.port = (server.address() as AddressInfo).port;
  return own;
}

/** Puts it on the roll, or changes how it stands there. */
async function register(id: string, port: number, more: object = {}): Promise<void> {
  const path = `${url}/v1/namespaces/default/services/${service}/instances/${id}`;
  const body = { ports: { http: port }, ttlMs: 300_000, nonce: 'a-nonce-of-this-test', ...more };
  const headers = { 'content-type': 'application/json' };
  const reply = await fetch(path, { method: 'PUT', headers, body: JSON.stringify(body) });
  expect(reply.status, await reply.text()).toBeLessThan(300);
}

const isLetIn = ({ code }: NodeJS.ErrnoException) => code !== 'ECONNREFUSED';

/** What answers one call: its name and status, or `nobody`. */
type Call = () => Promise<string>;

/** Over a connection of its own. */
function read(address: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = get(address, { agent: false }, (response) => {
      const { statusCode = 0 } = response;
      void text(response).then((body) => resolve(`${body} ${statusCode}`), reject);
    });
    request.once('error', reject);
  });
}

const WAYS: Readonly<Record<string, () => Promise<Call>>> = {
  async client() {
    const handle = rollcall.service(service);
    await handle.ready({ endpoints: 0 });
    return async () => {
      const { statusCode, body } = await handle.request('/');
      return `${await body.text()} ${statusCode}`;
    };
  },
  async balancer() {
    const port = await freePort();
    void stack.balancer([url], { service, port }).catch(() => {});
    const address = `http://127.0.0.1:${port}`;
    await until(() => read(address));
    return async () => {
      const answer = await read(address);
      if (answer.endsWith('503')) throw new Error(answer);
      return answer;
    };
  },
  async proxy() {
    const manifest = {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: service },
      spec: {
        selector: { app: service },
        ports: [{ port: 8080, targetPort: 'http' }],
      },
    };
    const { results } = await rollcall.call('apply', { body: JSON.stringify(manifest) });
    const spec = results[0]?.object?.['spec'] as { readonly clusterIP: string } | undefined;
    const call = () => read(`http://${spec?.clusterIP}:8080/`);
    // Bound: where nobody is ready a client is let in, and reset.
    await until(() => call().then(() => true, isLetIn));
    return call;
  },
};

/** Who answers so many calls, once this has settled. */
async function answers(call: Call, calls = 12): Promise<string[]> {
  const seen = new Set<string>();
  for (let i = 0; i < calls; i++) seen.add(await call().catch(() => 'nobody'));
  return [...seen].toSorted();
}

const eventually = (call: Call) => expect.poll(() => answers(call), { interval: 100 });

describe.each(Object.entries(WAYS))('through the %s', (way, open) => {
  test('those that are up are called, and none that drains', async () => {
    const [a, b, c] = await Promise.all(['a', 'b', 'c'].map(answering));
    await register('a', a!.port);
    await register('b', b!.port);
    await register('c', c!.port, { status: 'draining' });
    await eventually(await open()).toEqual(['a 200', 'b 200']);
  });

  test('when all drain, those that still serve are called; one that comes up takes over', async () => {
    const [a, b, c] = await Promise.all(['a', 'b', 'c'].map(answering));
    await register('a', a!.port);
    await register('b', b!.port);
    const call = await open();
    await eventually(call).toEqual(['a 200', 'b 200']);
    await register('a', a!.port, { status: 'draining' });
    await eventually(call).toEqual(['b 200']);
    await register('b', b!.port, { status: 'draining' });
    await eventually(call).toEqual(['a 200', 'b 200']);
    expect(await answers(call, 50)).toEqual(['a 200', 'b 200']);
    await register('c', c!.port);
    await eventually(call).toEqual(['c 200']);
  });

  test('nobody is called that is not ready', async () => {
    const [a, b] = await Promise.all(['a', 'b'].map(answering));
    await register('a', a!.port, { status: 'starting' });
    await register('b', b!.port, { status: 'down' });
    const call = await open();
    await eventually(call).toEqual(['nobody']);
    await register('a', a!.port);
    await eventually(call).toEqual(['a 200']);
  });

  test('endpoints of tier 1 are called when no other is left', async () => {
    const names = ['b', 'c', 'd', 'e', 'f', 'g'];
    const a = await answering('a');
    const others = await Promise.all(names.map(answering));
    await register('a', a.port);
    // Most of a service falls silent at a time: the registry keeps them, and doubts them.
    await Promise.all(names.map((name, at) => register(name, others[at]!.port, { ttlMs: 2_000 })));
    const call = await open();
    await eventually(call).toEqual(['a 200']);
    await register('a', a.port, { status: 'down' });
    const areOthers = async () => (await answers(call)).every((one) => /^[b-g] 200$/.test(one));
    await expect.poll(areOthers, { interval: 100 }).toBe(true);
  });

  test('one that refuses connections costs no call', async () => {
    const alive = await answering('alive');
    await register('alive', alive.port);
    await register('dead', await freePort());
    const call = await open();
    await eventually(call).toEqual(['alive 200']);
    expect(await answers(call, 40)).toEqual(['alive 200']);
  });

  test('one that answers five times in a row with 5xx is passed over, where answers are seen', async () => {
    const [ill, well] = await Promise.all([answering('ill'), answering('well')]);
    ill.status = 500;
    await register('ill', ill.port);
    await register('well', well.port);
    const call = await open();
    const seen: string[] = [];
    for (let i = 0; i < 30; i++) seen.push(await call());
    const failed = seen.filter((one) => one === 'ill 500').length;
    // Connections are spread by the proxy, whatever is said over them.
    if (way === 'proxy') expect(failed).toBe(15);
    else expect(failed).toBeLessThanOrEqual(5);
  });
});
