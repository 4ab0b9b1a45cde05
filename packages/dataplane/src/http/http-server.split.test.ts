import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { HTTP_LIMITS, HTTP_TIMEOUTS } from '../model/options.ts';
import { ManualClock } from '@rollcall/runtime/testing';
import { type MemoryConnection, MemoryTransport } from '../testing/memory-transport.ts';
import { Recorder, TargetList, createTarget } from '../testing/target-list.ts';
import { HttpServer } from './http-server.ts';

const REQUESTS = [
  'GET /a HTTP/1.1\r\nHost: a\r\nConnection: X-Drop, keep-alive\r\nX-Drop: 1\r\nTE: trailers\r\n\r\n',
  'POST /b HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\nX-Forwarded-For: 10.0.0.1\r\n\r\nhello world',
  'PUT /c HTTP/1.1\r\nTransfer-Encoding: chunked\r\nHost: b\r\n\r\n5\r\nhello\r\n1;x=y\r\n!\r\n0\r\n\r\n',
  'HEAD /d HTTP/1.1\r\nHost: a\r\n\r\n',
  'GET /refused HTTP/1.1\r\nHost: a\r\n\r\n',
  'PUT /t HTTP/1.1\r\nTransfer-Encoding:\tchunked\r\nHost: b\r\nX_Y: 1\r\n\r\n2;a\r\nok\r\n0\r\nX:POST / HTTP/1.1\r\n\r\n',
  'GET http://c.example/e?f=1 HTTP/1.1\r\nHost: a\r\nProxy: x\r\n\r\n',
];

const RESPONSES = [
  'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\nKeep-Alive: timeout=5\r\n\r\nhello',
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n',
  'HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n',
  'HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n',
  'HTTP/1.1 200 OK\r\nConnection: close, X-Hop\r\nX-Hop: 1\r\nContent-Length: 2\r\n\r\nok',
  'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
  'HTTP/1.1 200 OK\r\nVia: 1.1 x\r\nTransfer-Encoding:\tchunked\r\n\r\n3 \r\nabc\r\n0\r\nSet-Cookie: x\r\nX-Sum: 1\r\n\r\n',
  'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok',
];
const HEAD_RESPONSE = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n';

/** Whether `text` is one whole request of those above. */
function isWhole(text: string): boolean {
  const head = text.indexOf('\r\n\r\n');
  if (head === -1) return false;
  if (text.includes('Transfer-Encoding')) return text.endsWith('0\r\n\r\n');
  if (text.includes('Content-Length')) return text.length === head + 4 + 11;
  return true;
}

function pieces(text: string, cuts: readonly number[]): string[] {
  const ends = [...new Set(cuts.map((cut) => cut % text.length))].toSorted((a, b) => a - b);
  return [...ends, text.length].map((end, i) => text.slice(ends[i - 1] ?? 0, end)).filter(Boolean);
}

interface Plan {
  requests: readonly string[];
  responses: readonly string[];
  clientCuts: readonly number[];
  upstreamCuts: readonly number[];
  /** Which writes, in turn, find their connection full. */
  full?: readonly boolean[];
}

async function run(plan: Plan): Promise<{ client: string; upstream: string }> {
  const transport = new MemoryTransport();
  const runtime = new ManualClock(784_111_777_000);
  const server = new HttpServer(
    {
      observer: new Recorder(),
      timeouts: HTTP_TIMEOUTS,
      limits: HTTP_LIMITS,
      trustForwarded: false,
      pseudonym: 'rollcall-test',
    },
    { transport, clock: runtime },
  );
  await server.listen({ host: '', port: 0 }, new TargetList([createTarget(1)]));
  let turn = 0;
  let writes = 0;
  let upstream = '';
  const { full = [] } = plan;
  const isFull = () => full.length > 0 && full[writes++ % full.length]!;
  transport.onUpstream = (connection: MemoryConnection) => {
    let seen = 0;
    connection.isFull = isFull;
    connection.onWrite = () => {
      const request = connection.written.slice(seen);
      if (!isWhole(request)) return;
      seen = connection.written.length;
      upstream += request;
      const answer = request.startsWith('HEAD') ? HEAD_RESPONSE : plan.responses[turn++]!;
      for (const piece of pieces(answer, plan.upstreamCuts)) {
        transport.later(() => connection.receive(piece));
      }
    };
  };
  const client = transport.open();
  client.isFull = isFull;
  for (const piece of pieces(plan.requests.join(''), plan.clientCuts)) {
    client.receive(piece);
    transport.settle();
  }
  return { client: client.written, upstream };
}

test('pipelined requests and their answers are the same however bytes were split and held up', async () => {
  const cuts = fc.array(fc.nat({ max: 700 }), { maxLength: 30 });
  const property = fc.asyncProperty(
    fc.array(fc.constantFrom(...REQUESTS), { minLength: 1, maxLength: 5 }),
    fc.array(fc.constantFrom(...RESPONSES), { minLength: 5, maxLength: 5 }),
    cuts,
    cuts,
    fc.array(fc.boolean(), { maxLength: 5 }),
    async (requests, responses, clientCuts, upstreamCuts, full) => {
      const plan = { requests, responses, clientCuts, upstreamCuts, full };
      const whole = await run({ ...plan, clientCuts: [], upstreamCuts: [], full: [] });
      expect(await run(plan)).toEqual(whole);
      const finals = whole.client.match(/HTTP\/1\.1 (?!103)\d/g);
      expect(finals).toHaveLength(requests.length);
    },
  );
  await fc.assert(property, { numRuns: 2_000 });
});

test('one by one byte, too', async () => {
  const every = Array.from({ length: 2_000 }, (_, i) => i);
  const plan = { requests: REQUESTS, responses: RESPONSES, clientCuts: every, upstreamCuts: every };
  const whole = await run({ ...plan, clientCuts: [], upstreamCuts: [] });
  expect(await run(plan)).toEqual(whole);
  expect(whole).toMatchInlineSnapshot(`
    {
      "client": "HTTP/1.1 200 OK
    Date: Sun, 06 Nov 1994 08:49:37 GMT
    Via: 1.1 rollcall-test
    Content-Length: 5

    helloHTTP/1.1 200 OK
    Date: Sun, 06 Nov 1994 08:49:37 GMT
    Via: 1.1 rollcall-test
    Transfer-Encoding: chunked

    3
    abc
    0
    X-Sum: 1

    HTTP/1.1 103 Early Hints
    Link: x

    HTTP/1.1 204 No Content
    Date: Sun, 06 Nov 1994 08:49:37 GMT
    Via: 1.1 rollcall-test

    HTTP/1.1 200 OK
    Date: Sun, 06 Nov 1994 08:49:37 GMT
    Via: 1.1 rollcall-test
    Content-Length: 5

    HTTP/1.1 404 Not Found
    Date: Sun, 06 Nov 1994 08:49:37 GMT
    Content-Type: application/problem+json
    Content-Length: 79
    Rollcall-Reason: no_rule

    {"status":404,"title":"Not Found","code":"no_rule","detail":"no rule matches"}
    HTTP/1.1 304 Not Modified
    Date: Sun, 06 Nov 1994 08:49:37 GMT
    Via: 1.1 rollcall-test
    Content-Length: 99

    HTTP/1.1 200 OK
    Date: Sun, 06 Nov 1994 08:49:37 GMT
    Via: 1.1 rollcall-test
    Content-Length: 2

    ok",
      "upstream": "GET /a HTTP/1.1
    Host: a
    X-Forwarded-For: 192.0.2.7
    X-Forwarded-Host: a
    X-Forwarded-Proto: http
    X-Forwarded-Port: 8080
    Via: 1.1 rollcall-test

    POST /b HTTP/1.1
    Host: a
    X-Forwarded-For: 10.0.0.1, 192.0.2.7
    X-Forwarded-Host: a
    X-Forwarded-Proto: http
    X-Forwarded-Port: 8080
    Content-Length: 11
    Via: 1.1 rollcall-test

    hello worldPUT /c HTTP/1.1
    Host: b
    X-Forwarded-For: 192.0.2.7
    X-Forwarded-Host: b
    X-Forwarded-Proto: http
    X-Forwarded-Port: 8080
    Transfer-Encoding: chunked
    Via: 1.1 rollcall-test

    5
    hello
    1
    !
    0

    HEAD /d HTTP/1.1
    Host: a
    X-Forwarded-For: 192.0.2.7
    X-Forwarded-Host: a
    X-Forwarded-Proto: http
    X-Forwarded-Port: 8080
    Via: 1.1 rollcall-test

    PUT /t HTTP/1.1
    Host: b
    X-Forwarded-For: 192.0.2.7
    X-Forwarded-Host: b
    X-Forwarded-Proto: http
    X-Forwarded-Port: 8080
    Transfer-Encoding: chunked
    Via: 1.1 rollcall-test

    2
    ok
    0

    GET /e?f=1 HTTP/1.1
    Host: c.example
    X-Forwarded-For: 192.0.2.7
    X-Forwarded-Host: c.example
    X-Forwarded-Proto: http
    X-Forwarded-Port: 8080
    Via: 1.1 rollcall-test

    ",
    }
  `);
});

test('what follows a refused head is not read, even if the client has not taken the refusal yet', async () => {
  const transport = new MemoryTransport();
  const recorder = new Recorder();
  const server = new HttpServer(
    { observer: recorder, timeouts: HTTP_TIMEOUTS, limits: HTTP_LIMITS, trustForwarded: false },
    { transport, clock: new ManualClock() },
  );
  await server.listen({ host: '', port: 0 }, new TargetList([createTarget(1)]));
  const client = transport.open();
  client.isFull = () => true;
  client.receive('GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n');
  client.receive('GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n');
  transport.settle();
  expect(client.written.match(/^HTTP\/1\.1 .*$/gm)).toEqual(['HTTP/1.1 400 Bad Request']);
  expect(client.isEnded).toBe(true);
  expect(transport.upstreams).toHaveLength(0);
  expect(recorder.responses).toHaveLength(1);
});
