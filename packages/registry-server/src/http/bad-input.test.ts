import { request as rawRequest } from 'node:http';
import { connect } from 'node:net';
import { Problem } from '@rollcall/contract';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RegistryServer } from '../compose.ts';
import { startTestServer } from '../testing/test-server.ts';

let server: RegistryServer;
const INSTANCE = '/v1/namespaces/default/services/orders/instances/a1';
const GOOD = { ports: { http: 3000 } };
const LEASE = `0.10000.${'f'.repeat(32)}`;

beforeAll(async () => {
  server = await startTestServer(
    '--max-body-bytes',
    '2048',
    '--max-labels',
    '3',
    '--max-label-length',
    '10',
    '--max-instances-per-service',
    '2',
    '--max-watches',
    '1',
    '--max-holds',
    '1',
    '--max-writes-per-second',
    '0',
  );
});
afterAll(() => server.close());

interface Call {
  readonly method?: string;
  readonly path?: string;
  readonly body?: unknown;
  readonly text?: string;
  readonly headers?: Record<string, string>;
}

async function call({ method = 'PUT', path = INSTANCE, body, text, headers }: Call) {
  const payload = text ?? (body === undefined ? undefined : JSON.stringify(body));
  const response = await fetch(`${server.url}${path}`, {
    method,
    ...(payload === undefined ? {} : { body: payload }),
    headers: {
      ...(payload === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
  });
  return response;
}

async function problemOf(response: Response) {
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  const problem = Problem.parse(await response.json());
  expect(problem.status).toBe(response.status);
  return problem;
}

type Row = readonly [what: string, call: Call, code: string, field: string, message: RegExp];

const withBody = (over: Record<string, unknown>): Call => ({ body: { ...GOOD, ...over } });

const ROWS: readonly Row[] = [
  [
    'a check of a kind that is none',
    withBody({ persistent: true, check: { type: 'grpc' } }),
    'invalid_request',
    'check.type',
    /expected the type 'http' or 'tcp', got "grpc"/,
  ],
  [
    'port 0',
    { body: { ports: { http: 0 } } },
    'invalid_request',
    'ports.http',
    /1 to 65535, got 0/,
  ],
  [
    'port 70000',
    { body: { ports: { http: 70_000 } } },
    'invalid_request',
    'ports.http',
    /1 to 65535, got 70000/,
  ],
  [
    'port in an object',
    { body: { ports: { http: { port: -1 } } } },
    'invalid_request',
    'ports.http.port',
    /got -1/,
  ],
  [
    'port as text',
    { body: { ports: { http: '80' } } },
    'invalid_request',
    'ports.http',
    /expected a port number.*got "80"/,
  ],
  [
    'port name',
    { body: { ports: { 'My Port': 80 } } },
    'invalid_request',
    'ports.My Port',
    /expected a port name/,
  ],
  [
    'protocol',
    { body: { ports: { http: { port: 1, protocol: 'QUIC' } } } },
    'invalid_request',
    'ports.http.protocol',
    /TCP, UDP, SCTP, got "QUIC"/,
  ],
  ['no ports', { body: { ports: {} } }, 'invalid_request', 'ports', /at least one named port/],
  ['ports missing', { body: {} }, 'invalid_request', 'ports', /expected an object/],
  ['body an array', { body: [] }, 'invalid_request', '', /expected an object/],
  ['body missing', {}, 'invalid_request', '', /expected an object/],
  [
    'unknown field',
    withBody({ colour: 'red' }),
    'invalid_request',
    'colour',
    /expected no such field/,
  ],
  ['ttl too short', withBody({ ttlMs: 10 }), 'invalid_request', 'ttlMs', /1000 to 300000, got 10/],
  ['ttl a fraction', withBody({ ttlMs: 1500.5 }), 'invalid_request', 'ttlMs', /whole milliseconds/],
  ['weight', withBody({ weight: -1 }), 'invalid_request', 'weight', /0 to 65535, got -1/],
  [
    'status',
    withBody({ status: 'sideways' }),
    'invalid_request',
    'status',
    /up, starting, down, draining, got "sideways"/,
  ],
  [
    'address',
    withBody({ address: 'no spaces here' }),
    'invalid_request',
    'address',
    /IPv4 or IPv6 address or a host name/,
  ],
  ['zone', withBody({ zone: 'a zone' }), 'invalid_request', 'zone', /expected a zone/],
  [
    'nonce, not repeated',
    withBody({ nonce: 'se cret' }),
    'invalid_request',
    'nonce',
    /^expected a nonce(?!.*cret)/,
  ],
  [
    'label key',
    withBody({ labels: { 'a b': 'c' } }),
    'invalid_request',
    'labels.a b',
    /expected a label key/,
  ],
  [
    'label value',
    withBody({ labels: { a: '$' } }),
    'invalid_request',
    'labels.a',
    /expected a label value/,
  ],
  [
    'too many labels',
    withBody({ labels: { a: '1', b: '2', c: '3', d: '4' } }),
    'too_many_labels',
    'labels',
    /at most 3 labels, got 4/,
  ],
  [
    'label too long',
    withBody({ labels: { a: 'x'.repeat(11) } }),
    'label_too_long',
    'labels.a',
    /at most 10 characters, got 11/,
  ],
  [
    'persistent without check',
    withBody({ persistent: true }),
    'invalid_request',
    'check',
    /exactly when persistent/,
  ],
  ['malformed JSON', { text: '{"ports":' }, 'malformed_json', '', /expected a JSON body/],
  [
    'prototype pollution',
    { text: '{"__proto__":{"a":1},"ports":{"http":1}}' },
    'malformed_json',
    '',
    /JSON body/,
  ],
  [
    'wrong media type',
    { text: 'ports=1', headers: { 'content-type': 'text/plain' } },
    'unsupported_media_type',
    '',
    /application\/json/,
  ],
  [
    'body too large',
    withBody({ zone: 'x'.repeat(4_000) }),
    'body_too_large',
    '',
    /--max-body-bytes/,
  ],
  [
    'service name',
    { ...withBody({}), path: '/v1/namespaces/default/services/Orders_1/instances/a' },
    'invalid_request',
    'svc',
    /expected a service name.*got "Orders_1"/,
  ],
  [
    'namespace',
    { ...withBody({}), path: '/v1/namespaces/-x/services/orders/instances/a' },
    'invalid_request',
    'ns',
    /expected a namespace name/,
  ],
  [
    'over-long id',
    {
      ...withBody({}),
      path: `/v1/namespaces/default/services/orders/instances/${'a'.repeat(200)}`,
    },
    'invalid_request',
    'id',
    /1 to 128/,
  ],
  [
    'absurd id',
    {
      ...withBody({}),
      path: `/v1/namespaces/default/services/orders/instances/${'a'.repeat(600)}`,
    },
    'uri_too_long',
    '',
    /at most 512/,
  ],
  [
    'broken percent-encoding',
    { method: 'GET', path: '/v1/namespaces/%zz/services' },
    'invalid_request',
    '',
    /percent-encoding/,
  ],
  [
    'unknown query',
    { ...withBody({}), path: `${INSTANCE}?takover=true` },
    'invalid_request',
    'takover',
    /no such field/,
  ],
  [
    'bad switch',
    { ...withBody({}), path: `${INSTANCE}?takeover=yes` },
    'invalid_request',
    'takeover',
    /'true' or 'false', got "yes"/,
  ],
  [
    'empty patch',
    { method: 'PATCH', body: {} },
    'invalid_request',
    '',
    /at least one of status, weight, labels/,
  ],
  [
    'patch of nobody',
    { method: 'PATCH', body: { weight: 1 }, path: INSTANCE.replace('a1', 'nobody') },
    'instance_not_found',
    'id',
    /no such instance/,
  ],
  [
    'delete of nobody',
    { method: 'DELETE', path: INSTANCE.replace('a1', 'nobody') },
    'instance_not_found',
    'id',
    /no such instance/,
  ],
  [
    'delete with a strange lease',
    { method: 'DELETE', path: `${INSTANCE.replace('a1', 'held')}?lease=${LEASE}` },
    'lease_superseded',
    'lease',
    /successor/,
  ],
  [
    'heartbeat of a strange lease',
    { path: `/v1/leases/${LEASE}` },
    'lease_unknown',
    'lease',
    /register again/,
  ],
  [
    'heartbeat of no lease',
    { path: '/v1/leases/xyz' },
    'invalid_request',
    'lease',
    /expected a lease id/,
  ],
  [
    'renewal of nothing',
    { method: 'POST', path: '/v1/leases/renew', body: { leases: [] } },
    'invalid_request',
    'leases',
    /at least 1/,
  ],
  [
    'renewal of no lease, not repeated',
    { method: 'POST', path: '/v1/leases/renew', body: { leases: ['sesame'] } },
    'invalid_request',
    'leases.0',
    /^expected a lease id(?!.*sesame)/,
  ],
  [
    'hold without lease',
    { method: 'GET', path: '/v1/leases/hold' },
    'invalid_request',
    'lease',
    /expected/,
  ],
  [
    'override without author',
    { path: `${INSTANCE}/override`, body: { status: 'down', reason: 'x' } },
    'invalid_request',
    'author',
    /expected a string/,
  ],
  [
    'override of nobody',
    {
      path: `${INSTANCE.replace('a1', 'nobody')}/override`,
      body: { status: 'down', author: 'me', reason: 'x' },
    },
    'instance_not_found',
    'id',
    /no such instance/,
  ],
  [
    'no override to lift',
    { method: 'DELETE', path: `${INSTANCE.replace('a1', 'held')}/override` },
    'override_not_found',
    '',
    /no override/,
  ],
  [
    'unknown service',
    { method: 'GET', path: '/v1/namespaces/default/services/nobody/endpoints' },
    'service_not_found',
    'svc',
    /no service nobody: no instance/,
  ],
  [
    'selector',
    { method: 'GET', path: '/v1/namespaces/default/services/held/endpoints?selector=a=b=c' },
    'invalid_request',
    'selector',
    /label=value.*got "a=b=c"/,
  ],
  [
    'since no revision',
    { method: 'GET', path: '/v1/watch?service=held&since=abc' },
    'invalid_request',
    'since',
    /expected an id/,
  ],
  [
    'Last-Event-ID no revision',
    { method: 'GET', path: '/v1/watch?service=held', headers: { 'last-event-id': 'x' } },
    'invalid_request',
    'last-event-id',
    /expected an id/,
  ],
  [
    'since ahead of everything',
    { method: 'GET', path: '/v1/watch?service=held&since=9000000000000000' },
    'replica_behind',
    'since',
    /expected 9000000000000000 or later/,
  ],
  [
    'timeline limit',
    { method: 'GET', path: '/v1/events?limit=0' },
    'invalid_request',
    'limit',
    /at least 1/,
  ],
  [
    'unknown path',
    { method: 'GET', path: '/v2/nothing' },
    'route_not_found',
    '',
    /nothing at \/v2\/nothing/,
  ],
  [
    'wrong method',
    { method: 'POST', path: '/v1/watch' },
    'method_not_allowed',
    'method',
    /expected GET, got POST/,
  ],
];

describe('bad input', () => {
  beforeAll(async () => {
    const held = { ports: { http: 1 }, nonce: 'process-1' };
    const response = await call({
      path: '/v1/namespaces/default/services/held/instances/held',
      body: held,
    });
    expect(response.status).toBe(200);
    await call({ path: INSTANCE.replace('a1', 'held'), body: held });
  });

  test.each(ROWS)('%s', async (_what, given, code, field, message) => {
    const problem = await problemOf(await call(given));
    expect(problem).toMatchObject({ code, field });
    expect(problem.message).toMatch(message);
  });

  test('nothing of all that is on the roll', async () => {
    const response = await call({ method: 'GET', path: '/v1/namespaces/default/services/orders' });
    const { roll } = (await response.json()) as { roll: { id: string }[] };
    expect(roll.map(({ id }) => id)).toEqual(['held']);
  });

  test('an id held by another lease is taken, and given with takeover', async () => {
    const other = { ports: { http: 2 }, nonce: 'process-2' };
    const path = INSTANCE.replace('a1', 'held');
    const problem = await problemOf(await call({ path, body: other }));
    expect(problem).toMatchObject({ code: 'instance_taken', field: 'id', retryable: false });
    expect((await call({ path: `${path}?takeover=true`, body: other })).status).toBe(200);
  });

  test('a stale lease cannot renew, change or delete', async () => {
    const path = INSTANCE.replace('a1', 'held');
    const first = (await (
      await call({ path: `${path}?takeover=true`, body: { ...GOOD, nonce: 'process-3' } })
    ).json()) as { lease: { id: string } };
    await call({ path: `${path}?takeover=true`, body: { ...GOOD, nonce: 'process-4' } });
    const { id } = first.lease;
    for (const stale of [
      { path: `/v1/leases/${id}` },
      { method: 'PATCH', path: `${path}?lease=${id}`, body: { weight: 1 } },
      { method: 'DELETE', path: `${path}?lease=${id}` },
    ]) {
      expect(await problemOf(await call(stale))).toMatchObject({
        code: 'lease_superseded',
        status: 409,
      });
    }
  });

  test('a full service', async () => {
    const path = (id: string) => INSTANCE.replace('orders', 'full').replace('a1', id);
    await call({ path: path('1'), body: GOOD });
    await call({ path: path('2'), body: GOOD });
    const problem = await problemOf(await call({ path: path('3'), body: GOOD }));
    expect(problem).toMatchObject({ code: 'service_full', field: 'svc' });
  });

  test('one stream more than allowed', async () => {
    const abort = new AbortController();
    await fetch(`${server.url}/v1/watch?service=held`, { signal: abort.signal });
    const watch = await call({ method: 'GET', path: '/v1/watch?service=held' });
    expect(watch.headers.get('retry-after')).toBe('1');
    expect(await problemOf(watch)).toMatchObject({ code: 'too_many_watches', retryable: true });
    await fetch(`${server.url}/v1/leases/hold?lease=${LEASE}`, { signal: abort.signal });
    const hold = await call({ method: 'GET', path: `/v1/leases/hold?lease=${LEASE}` });
    expect(await problemOf(hold)).toMatchObject({ code: 'too_many_watches' });
    abort.abort();
  });

  test('a request head that is too large', async () => {
    const { port } = new URL(server.url);
    const status = await new Promise<number>((resolve, reject) => {
      const headers = { 'x-big': 'x'.repeat(20_000) };
      rawRequest({ port, host: '127.0.0.1', path: '/livez', headers }, (r) =>
        resolve(r.statusCode ?? 0),
      )
        .on('error', reject)
        .end();
    });
    expect(status).toBe(431);
  });

  test('what is no HTTP at all', async () => {
    const { port } = new URL(server.url);
    const text = await new Promise<string>((resolve) => {
      const socket = connect(Number(port), '127.0.0.1', () => socket.write('HELLO\r\n\r\n'));
      let got = '';
      socket.on('data', (chunk) => (got += chunk.toString()));
      socket.on('close', () => resolve(got));
    });
    expect(text).toMatch(/^HTTP\/1\.1 400 /);
    expect(text).toContain('"code":"invalid_request"');
  });

  test('the process is up after all of it', async () => {
    expect((await call({ method: 'GET', path: '/livez' })).status).toBe(200);
  });
});

test('labels of a megabyte, and a body of a hundred levels, are refused by what is wrong with them', async () => {
  const labels = Object.fromEntries(
    Array.from({ length: 5_000 }, (_, i) => [`l${i}`, 'x'.repeat(200)]),
  );
  const large = await startTestServer('--max-body-bytes', '2000000');
  const put = (text: string) =>
    fetch(`${large.url}${INSTANCE}`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: text,
    });
  try {
    const many = await problemOf(await put(JSON.stringify({ ...GOOD, labels })));
    expect(many.status).toBe(413);
    expect(many.code).toBe('body_too_large');
    const deep = `{"ports":${'['.repeat(100)}${']'.repeat(100)}}`;
    const nested = await problemOf(await put(deep));
    expect(nested).toMatchObject({ status: 400, code: 'malformed_json' });
    expect(nested.message).toContain('64 levels');
  } finally {
    await large.close();
  }
});

describe('a client that still sends when it is refused gets to read why', () => {
  /** Sends in pieces whatever comes, and gives what it heard when the connection was over. */
  const speak = (head: string, piece: string, pieces: number) =>
    new Promise<string>((resolve) => {
      const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
      let heard = '';
      socket.on('data', (chunk: Buffer) => {
        heard += chunk.toString();
        if (heard.includes('}')) socket.end();
      });
      socket.on('error', () => {});
      socket.on('close', () => resolve(heard));
      socket.write(head);
      let sent = 0;
      const more = () => {
        if (socket.destroyed || sent++ === pieces) return;
        if (socket.write(piece)) setImmediate(more);
        else socket.once('drain', more);
      };
      more();
    });
  const PUT = `PUT ${INSTANCE} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n`;
  const PIECE = ' '.repeat(65_536);

  test.each<[string, string, string, number, RegExp]>([
    [
      'a long request line',
      `GET /${'a'.repeat(18_000)}`,
      'a'.repeat(1_000),
      500,
      /^HTTP\/1.1 431 .*headers_too_large/s,
    ],
    ['no HTTP', 'hello there\r\n\r\n', PIECE, 100, /^HTTP\/1.1 400 .*invalid_request/s],
    [
      'a large body',
      `${PUT}content-length: 6553600\r\n\r\n`,
      PIECE,
      100,
      /^HTTP\/1.1 413 .*body_too_large/s,
    ],
    [
      'a large body in chunks',
      `${PUT}transfer-encoding: chunked\r\n\r\n`,
      `10000\r\n${PIECE}\r\n`,
      100,
      /^HTTP\/1.1 413 .*body_too_large/s,
    ],
    [
      'a body for a page of somebody else',
      `${PUT}origin: https://evil.example\r\ncontent-length: 6553600\r\n\r\n`,
      PIECE,
      100,
      /^HTTP\/1.1 403 .*origin_refused/s,
    ],
  ])('%s', async (_, head, piece, pieces, expected) => {
    const heard = await Promise.all(Array.from({ length: 10 }, () => speak(head, piece, pieces)));
    for (const one of heard) expect(one).toMatch(expected);
  });
});
