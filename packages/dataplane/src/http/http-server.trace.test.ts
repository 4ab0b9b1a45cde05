import type { Server } from 'node:http';
import { expect, test } from 'vitest';
import type { TargetOutcome } from '../model/observer.ts';
import type { RequestTrace, RequestTracer } from '../model/request-tracer.ts';
import { RawClient } from '../testing/raw-client.ts';
import { TestBench, answering } from '../testing/test-bench.ts';

const NONE = 'Connection: close\r\n\r\n';

/** Notes what it is told. Each try carries its number. */
class TestTracer implements RequestTracer {
  readonly fields = ['traceparent', 'tracestate'];
  readonly told: string[] = [];
  readonly got: Readonly<Record<string, string>>[] = [];
  more: Readonly<Record<string, string>> = {};

  onRequest({ method, path }: { method: string; path: string }, got: Record<string, string>) {
    this.told.push(`${method} ${path}`);
    this.got.push(got);
    return {
      onTry: (target, resends) => {
        this.told.push(`try ${resends} ${target.host}`);
        return { traceparent: `try-${resends}`, ...this.more };
      },
      onTryEnd: (outcome: TargetOutcome, { status, reason }) =>
        void this.told.push(`${outcome} ${status} ${reason}`.trim()),
      onEnd: ({ status, attempts }) => void this.told.push(`end ${status} after ${attempts}`),
    } satisfies RequestTrace;
  }
}

async function startBench(tracer: TestTracer) {
  const bench = await TestBench.start({ tracer });
  const seen: string[][] = [];
  const add = (): Promise<Server> =>
    bench.addHttp((incoming, response) => {
      seen.push(incoming.rawHeaders.filter((_, at, all) => /^trace|^x-own/i.test(all[at & ~1]!)));
      let size = 0;
      incoming.on('data', (chunk: Buffer) => (size += chunk.length));
      incoming.on('end', () => response.end(`${size} bytes`));
    });
  return { bench, seen, add };
}

test('the fields of a trace are replaced, whatever their case, and all others stay', async () => {
  const tracer = new TestTracer();
  const { bench, seen, add } = await startBench(tracer);
  await using _ = bench;
  await add();
  const fields = ['Host: a', 'TraceParent: old', 'X-Own: 1', 'TRACESTATE: a=1', 'tracestate: b=2'];
  const answer = await RawClient.exchange(
    bench.port,
    `POST /x HTTP/1.1\r\n${fields.join('\r\n')}\r\nContent-Length: 5\r\n${NONE}hello`,
  );
  expect(answer).toContain('5 bytes');
  expect(tracer.got).toEqual([{ traceparent: 'old', tracestate: 'a=1,b=2' }]);
  expect(seen).toEqual([['traceparent', 'try-0', 'X-Own', '1']]);
  expect(tracer.told).toEqual(['POST /x', 'try 0 127.0.0.1', 'answered 200', 'end 200 after 1']);
});

test('a request that is sent again carries the fields of that try, and its body', async () => {
  const tracer = new TestTracer();
  const { bench, seen, add } = await startBench(tracer);
  await using _ = bench;
  await bench.addTcp((socket) => socket.once('data', () => socket.destroy()));
  await add();
  const answer = await RawClient.exchange(
    bench.port,
    `PUT /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n${NONE}hello`,
  );
  expect(answer).toContain('5 bytes');
  expect(seen).toEqual([['traceparent', 'try-1']]);
  expect(tracer.told).toEqual([
    'PUT /x',
    'try 0 127.0.0.1',
    expect.stringMatching(/^failed 0 /),
    'try 1 127.0.0.1',
    'answered 200',
    'end 200 after 2',
  ]);
});

test('two requests on one connection are two traces', async () => {
  const tracer = new TestTracer();
  const { bench, seen, add } = await startBench(tracer);
  await using _ = bench;
  await add();
  await RawClient.exchange(
    bench.port,
    `GET /1 HTTP/1.1\r\nHost: a\r\ntraceparent: one\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n${NONE}`,
  );
  expect(tracer.got).toEqual([{ traceparent: 'one' }, {}]);
  expect(seen).toHaveLength(2);
  expect(tracer.told.filter((line) => line.startsWith('end'))).toHaveLength(2);
});

test('a request without a target, one that a rule answers, and one whose client left have an end', async () => {
  const tracer = new TestTracer();
  const { bench } = await startBench(tracer);
  await using _ = bench;
  await RawClient.exchange(bench.port, `GET /none HTTP/1.1\r\nHost: a\r\n${NONE}`);
  await RawClient.exchange(bench.port, `GET /refused HTTP/1.1\r\nHost: a\r\n${NONE}`);
  // What cannot be read is no request, and not the end of the one before it.
  await RawClient.exchange(bench.port, 'GET /refused HTTP/1.1\r\nHost: a\r\n\r\nGARBAGE\r\n\r\n');
  await bench.addTcp(answering('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nh'));
  const client = await RawClient.connect(bench.port);
  client.send('GET /left HTTP/1.1\r\nHost: a\r\n\r\n');
  await client.untilText('200 OK');
  client.socket.destroy();
  await expect.poll(() => tracer.told.at(-1)).toMatch(/^end/);
  expect(tracer.told).toEqual([
    'GET /none',
    'end 503 after 0',
    'GET /refused',
    'end 404 after 0',
    'GET /refused',
    'end 404 after 0',
    'GET /left',
    'try 0 127.0.0.1',
    'cancelled 0 client_closed',
    'end 499 after 1',
  ]);
});

test('a value that could not be one is left out', async () => {
  const tracer = new TestTracer();
  tracer.more = { tracestate: 'a\r\nX-Own: 2' };
  const { bench, seen, add } = await startBench(tracer);
  await using _ = bench;
  await add();
  await RawClient.exchange(bench.port, `GET / HTTP/1.1\r\nHost: a\r\n${NONE}`);
  expect(seen).toEqual([['traceparent', 'try-0']]);
});
