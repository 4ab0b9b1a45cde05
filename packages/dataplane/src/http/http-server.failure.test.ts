import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Socket, createServer } from 'node:net';
import { expect, test } from 'vitest';
import { ManualClock } from '@rollcall/runtime/testing';
import { RawClient } from '../testing/raw-client.ts';
import { createTarget } from '../testing/target-list.ts';
import { agentUnderTest, requestUnderTest } from '../testing/tls-under-test.ts';
import { TestBench, answering } from '../testing/test-bench.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

function head(method: string, ...fields: string[]): string {
  return `${[`${method} / HTTP/1.1`, 'Host: a', 'Connection: close', ...fields].join('\r\n')}\r\n\r\n`;
}

async function unusedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

test.each([['GET'], ['POST']])('%s goes to another target when one refuses', async (method) => {
  await using bench = await TestBench.start();
  bench.addPort(await unusedPort());
  await bench.addHttp((incoming, response) => incoming.pipe(response));
  const answer = await RawClient.exchange(bench.port, `${head(method, 'Content-Length: 4')}body`);
  expect(answer).toMatch(/^HTTP\/1\.1 200 /);
  expect(answer).toContain('body');
  expect(bench.recorder.results.map(({ outcome }) => outcome)).toEqual([
    'connect_failed',
    'answered',
  ]);
});

test('when nobody accepts a connection the 502 says so', async () => {
  await using bench = await TestBench.start({ limits: { attempts: 2 } });
  for (let i = 0; i < 3; i++) bench.addPort(await unusedPort());
  const answer = await RawClient.exchange(bench.port, head('GET'));
  expect(answer).toMatch(/^HTTP\/1\.1 502 Bad Gateway\r\n/);
  expect(answer).toContain('Rollcall-Reason: upstream_connect_failed\r\n');
  expect(answer).not.toContain('ECONNREFUSED');
  expect(bench.recorder.responses[0]).toMatchObject({ attempts: 2, detail: 'ECONNREFUSED' });
});

test.each([['EMFILE'], ['ENFILE'], ['EADDRNOTAVAIL'], ['ENOBUFS']])(
  'what this machine lacks (%s) is nobody else to blame for',
  async (code) => {
    await using bench = await TestBench.start({ localFault: code });
    const short = { ...createTarget(80, 'short'), host: 'short' };
    bench.group.targets.push(short);
    const answer = await RawClient.exchange(bench.port, head('POST'));
    expect(answer).toMatch(/^HTTP\/1\.1 503 /);
    expect(answer).toContain('Rollcall-Reason: no_connection_left\r\n');
    expect(answer).toContain('Retry-After: 1\r\n');
    expect(bench.recorder.results).toMatchObject([{ outcome: 'not_tried' }]);
    expect(bench.recorder.responses[0]).toMatchObject({ detail: code });
    expect(short).toMatchObject({ inFlight: 0, counters: { failures: 0, connectFailures: 0 } });
  },
);

test('when connections run short unused ones are closed, and another target is tried', async () => {
  await using bench = await TestBench.start({ localFault: 'EMFILE' });
  await bench.addTcp(answering(OK));
  const target = bench.group.targets[0]!;
  const client = await RawClient.connect(bench.port);
  client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  await client.untilText('\r\n\r\nok');
  expect(bench.server.idleConnections(target)).toBe(1);
  bench.group.targets = [{ ...createTarget(80, 'short'), host: 'short' }];
  client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  await client.untilText('HTTP/1.1 503 ');
  expect(bench.server.idleConnections(target)).toBe(0);
  client.close();
});

test('without targets the 503 says so, and the log why', async () => {
  await using bench = await TestBench.start();
  const answer = await RawClient.exchange(bench.port, head('GET'));
  expect(answer).toMatch(/^HTTP\/1\.1 503 /);
  expect(answer).toContain('"code":"no_targets","detail":"nobody is there"');
  expect(answer).not.toContain('list');
  expect(bench.recorder.responses[0]!.detail).toBe('target group "list" has no targets');
  expect(answer).toContain('Retry-After: ');
});

for (const method of ['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'TRACE']) {
  test(`${method} is repeated elsewhere when its target dies before an answer`, async () => {
    await using bench = await TestBench.start();
    let killed = 0;
    await bench.addTcp((socket) => {
      socket.once('data', () => {
        killed++;
        socket.resetAndDestroy();
      });
    });
    await bench.addTcp(answering(OK));
    const answer = await RawClient.exchange(bench.port, head(method));
    expect(killed).toBe(1);
    expect(answer).toMatch(/^HTTP\/1\.1 200 /);
  });
}

for (const method of ['POST', 'PATCH', 'LOCK']) {
  test(`${method} is never repeated once bytes may have arrived`, async () => {
    await using bench = await TestBench.start();
    let arrived = 0;
    for (let i = 0; i < 2; i++) {
      await bench.addTcp((socket) => {
        socket.once('data', () => {
          arrived++;
          socket.end();
        });
      });
    }
    const answer = await RawClient.exchange(bench.port, head(method));
    expect(answer).toMatch(/^HTTP\/1\.1 502 /);
    expect(answer).toContain('Rollcall-Reason: upstream_closed\r\n');
    expect(arrived).toBe(1);
  });
}

test('a PUT whose body is at hand is repeated, a longer one is not', async () => {
  await using bench = await TestBench.start({ limits: { replayBytes: 1_000 } });
  const bodies: string[] = [];
  let arrived = 0;
  for (let i = 0; i < 2; i++) {
    await bench.addTcp((socket) => {
      let text = '';
      socket.on('data', (chunk: Buffer) => {
        arrived += chunk.length;
        text += chunk.toString('latin1');
        if (!text.endsWith('!')) return;
        bodies.push(text.slice(text.indexOf('\r\n\r\n') + 4));
        if (bodies.length % 2 === 1) socket.resetAndDestroy();
        else socket.write(OK);
      });
    });
  }
  for (const [size, status] of [[500, 200] as const, [2_000, 502] as const]) {
    bodies.length = 0;
    const client = await RawClient.connect(bench.port);
    client.send(head('PUT', `Content-Length: ${size}`));
    // Piece by piece: what comes with the head is at hand however long it is.
    arrived = 0;
    for (let sent = 0; sent < size - 1; sent += 1) client.send('x');
    await expect.poll(() => arrived).toBeGreaterThan(0);
    client.send('!');
    await client.until(() => client.isEnded);
    expect(client.text).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(bodies).toEqual(Array(status === 200 ? 2 : 1).fill(`${'x'.repeat(size - 1)}!`));
    client.close();
  }
});

/** A target that closes each connection right after its first answer, without having said so. */
function closingAfterFirst(arrived: string[]) {
  let connections = 0;
  return (socket: Socket) => {
    const isFirst = connections++ === 0;
    socket.on('data', (chunk: Buffer) => {
      const text = chunk.toString('latin1');
      if (isFirst && text.includes('/second')) {
        // The request crosses the close on its way.
        socket.resetAndDestroy();
        return;
      }
      arrived.push(text.slice(0, text.indexOf(' HTTP')));
      socket.write(OK);
    });
  };
}

test('a stale connection is replaced by a fresh one to the same target', async () => {
  await using bench = await TestBench.start();
  const arrived: string[] = [];
  await bench.addTcp(closingAfterFirst(arrived));
  const client = await RawClient.connect(bench.port);
  client.send('GET /first HTTP/1.1\r\nHost: a\r\n\r\n');
  await client.untilText('\r\n\r\nok');
  client.send('GET /second HTTP/1.1\r\nHost: a\r\n\r\n');
  await client.until(() => client.text.split('\r\n\r\nok').length === 3);
  expect(arrived).toEqual(['GET /first', 'GET /second']);
  expect(bench.group.targets[0]!.counters.failures).toBe(0);
  client.close();
});

test('when many connections are stale, one fresh one is made and not each of them tried', async () => {
  await using bench = await TestBench.start();
  const sockets: Socket[] = [];
  const waiting: Socket[] = [];
  await bench.addTcp((socket) => {
    sockets.push(socket);
    socket.on('data', (chunk: Buffer) => {
      if (!chunk.includes('/second')) waiting.push(socket);
      else if (sockets.indexOf(socket) < 3) socket.resetAndDestroy();
      else socket.write(OK);
    });
  });
  const clients = await Promise.all([1, 2, 3].map(() => RawClient.connect(bench.port)));
  for (const client of clients) client.send('GET /first HTTP/1.1\r\nHost: a\r\n\r\n');
  await expect.poll(() => waiting.length, { timeout: 30_000 }).toBe(3);
  for (const socket of waiting) socket.write(OK);
  await Promise.all(clients.map((client) => client.untilText('\r\n\r\nok')));
  clients[0]!.send('GET /second HTTP/1.1\r\nHost: a\r\n\r\n');
  await clients[0]!.until(() => clients[0]!.text.split('\r\n\r\nok').length === 3);
  expect(bench.server.counters.retries).toBe(1);
  expect(sockets).toHaveLength(4);
  for (const client of clients) client.close();
});

test('a POST on a stale connection fails rather than being sent twice', async () => {
  await using bench = await TestBench.start();
  const arrived: string[] = [];
  await bench.addTcp(closingAfterFirst(arrived));
  const client = await RawClient.connect(bench.port);
  client.send('GET /first HTTP/1.1\r\nHost: a\r\n\r\n');
  await client.untilText('\r\n\r\nok');
  client.send('POST /second HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
  await client.untilText('HTTP/1.1 502 ');
  expect(arrived).toEqual(['GET /first']);
  client.close();
});

test('an unused connection that the target closes is not used again', async () => {
  await using bench = await TestBench.start();
  const server = await bench.addHttp((_, response) => response.end('ok'));
  const client = await RawClient.connect(bench.port);
  client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  await client.untilText('ok');
  const target = bench.group.targets[0]!;
  expect(bench.server.idleConnections(target)).toBe(1);
  server.closeIdleConnections();
  await expect.poll(() => bench.server.idleConnections(target), { timeout: 30_000 }).toBe(0);
  client.send('POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
  await client.until(() => client.isEnded);
  expect(client.text.match(/200 OK/g)).toHaveLength(2);
});

test('a target that dies inside its answer cuts the client off', async () => {
  await using bench = await TestBench.start();
  await bench.addTcp(
    answering('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart', (socket) => socket.end()),
  );
  const client = await RawClient.connect(bench.port);
  client.send(head('GET'));
  await client.until(() => client.isClosed);
  expect(client.isEnded).toBe(false);
  expect(bench.recorder.responses[0]).toMatchObject({ status: 200, reason: 'upstream_closed' });
  expect(bench.recorder.results).toEqual([{ target: expect.any(String), outcome: 'failed' }]);
});

test('a close-delimited body that ends in a reset is no complete answer', async () => {
  await using bench = await TestBench.start();
  const sockets: Socket[] = [];
  await bench.addTcp((socket) => {
    sockets.push(socket);
    answering('HTTP/1.1 200 OK\r\n\r\npart')(socket);
  });
  const client = await RawClient.connect(bench.port);
  client.send(head('GET'));
  await client.untilText('part');
  for (const socket of sockets) socket.resetAndDestroy();
  await client.until(() => client.isClosed);
  expect(client.isEnded).toBe(false);
});

test.each([
  ['no HTTP', 'hello\r\n\r\n'],
  ['bare LF', 'HTTP/1.1 200 OK\nContent-Length: 0\n\n'],
  ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab'],
  [
    'length and chunks',
    'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n',
  ],
  ['a bad first chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n'],
  ['a huge head', `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(40_000)}\r\n\r\n`],
])('a malformed answer (%s) is a 502, without another try', async (_name, response) => {
  await using bench = await TestBench.start();
  let arrived = 0;
  for (let i = 0; i < 2; i++) await bench.addTcp(answering(response, () => arrived++));
  const answer = await RawClient.exchange(bench.port, head('GET'));
  expect(answer).toMatch(/^HTTP\/1\.1 502 /);
  expect(answer).toContain('Rollcall-Reason: upstream_bad_response\r\n');
  expect(arrived).toBe(1);
});

test('bytes after an answer do not become the next one', async () => {
  await using bench = await TestBench.start();
  await bench.addTcp(answering(`${OK}HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil`));
  const client = await RawClient.connect(bench.port);
  for (let n = 2; n <= 4; n++) {
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.until(() => client.text.split('\r\n\r\nok').length === n);
  }
  expect(client.text).not.toContain('evil');
  expect(bench.server.counters.upstreamReuses).toBe(0);
  client.close();
});

test('an unused connection on which bytes arrive unasked is not used again', async () => {
  await using bench = await TestBench.start();
  const sockets: Socket[] = [];
  await bench.addTcp((socket) => {
    sockets.push(socket);
    answering(OK)(socket);
  });
  const client = await RawClient.connect(bench.port);
  client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  await client.untilText('\r\n\r\nok');
  const target = bench.group.targets[0]!;
  expect(bench.server.idleConnections(target)).toBe(1);
  sockets[0]!.write(OK);
  await expect.poll(() => bench.server.idleConnections(target), { timeout: 30_000 }).toBe(0);
  client.close();
});

test('an answer of which a 1xx was passed on is not asked for again', async () => {
  await using bench = await TestBench.start();
  const sockets: Socket[] = [];
  for (let i = 0; i < 2; i++) {
    await bench.addTcp((socket) => {
      sockets.push(socket);
      answering('HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n')(socket);
    });
  }
  const client = await RawClient.connect(bench.port);
  client.send(head('GET'));
  await client.untilText('103 Early Hints');
  for (const socket of sockets) socket.end();
  await client.untilText('HTTP/1.1 502 ');
  expect(bench.recorder.responses[0]!.attempts).toBe(1);
  client.close();
});

test.each([
  ['silent', 'upstream_timeout', (): void => {}],
  ['half a head', 'upstream_timeout', answering('HTTP/1.1 200 OK\r\nX: ')],
])('a target that stays %s: 504, and no other is asked', async (_name, reason, onSocket) => {
  const runtime = new ManualClock();
  await using bench = await TestBench.start({ runtime });
  let arrived = 0;
  for (let i = 0; i < 2; i++) {
    await bench.addTcp((socket) => {
      socket.once('data', () => arrived++);
      onSocket(socket);
    });
  }
  const client = await RawClient.connect(bench.port);
  client.send(head('GET'));
  await expect.poll(() => arrived, { timeout: 30_000 }).toBe(1);
  runtime.advance(59_000);
  expect(bench.recorder.responses).toEqual([]);
  runtime.advance(2_000);
  await client.until(() => client.isEnded);
  expect(client.text).toMatch(/^HTTP\/1\.1 504 Gateway Timeout\r\n/);
  expect(client.text).toContain(`Rollcall-Reason: ${reason}\r\n`);
  expect(arrived).toBe(1);
});

test('a target that stalls inside its answer cuts the client off', async () => {
  const runtime = new ManualClock();
  await using bench = await TestBench.start({ runtime });
  await bench.addTcp(answering('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\npart'));
  const client = await RawClient.connect(bench.port);
  client.send(head('GET'));
  await client.untilText('part');
  runtime.advance(61_000);
  await client.until(() => client.isClosed);
  expect(bench.recorder.responses[0]).toMatchObject({ reason: 'upstream_timeout' });
});

test('an unused connection to a target ends before the time the target gives it', async () => {
  const runtime = new ManualClock();
  await using bench = await TestBench.start({ runtime });
  await bench.addTcp(
    answering('HTTP/1.1 200 OK\r\nKeep-Alive: timeout=3\r\nContent-Length: 2\r\n\r\nok'),
  );
  const client = await RawClient.connect(bench.port);
  client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  await client.untilText('\r\n\r\nok');
  const target = bench.group.targets[0]!;
  runtime.advance(1_500);
  expect(bench.server.idleConnections(target)).toBe(1);
  runtime.advance(1_000);
  expect(bench.server.idleConnections(target)).toBe(0);
  client.close();
});

test.each([
  ['a head that never ends', 'GET / HTTP/1.1\r\nHost: a', 'client_head_timeout', 11_000],
  ['a body that stops', head('POST', 'Content-Length: 9'), 'client_body_timeout', 31_000],
])('%s: 408', async (_name, text, reason, ms) => {
  const runtime = new ManualClock();
  await using bench = await TestBench.start({ runtime });
  let arrived = 0;
  await bench.addHttp(() => arrived++);
  const client = await RawClient.connect(bench.port);
  client.send(text);
  await expect
    .poll(() => bench.server.counters.requestBytes, { timeout: 30_000 })
    .toBe(text.length);
  await expect
    .poll(() => arrived, { timeout: 30_000 })
    .toBe(reason === 'client_body_timeout' ? 1 : 0);
  runtime.advance(ms);
  await client.until(() => client.isEnded);
  expect(client.text).toMatch(/^HTTP\/1\.1 408 /);
  expect(client.text).toContain(reason);
  client.close();
});

test('silent and idle clients are closed without a word', async () => {
  const runtime = new ManualClock();
  await using bench = await TestBench.start({ runtime });
  await bench.addTcp(answering(OK));
  const silent = await RawClient.connect(bench.port);
  const idle = await RawClient.connect(bench.port);
  idle.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  await idle.untilText('\r\n\r\nok');
  const { length } = idle.text;
  runtime.advance(12_000);
  await silent.until(() => silent.isEnded);
  expect(silent.text).toBe('');
  expect(idle.isEnded).toBe(false);
  runtime.advance(64_000);
  await idle.until(() => idle.isEnded);
  expect(idle.text).toHaveLength(length);
});

test('a client that goes away ends the request at the target', async () => {
  await using bench = await TestBench.start();
  let isCancelled = false;
  await bench.addHttp((incoming, response) => {
    response.on('close', () => {
      isCancelled = true;
    });
    incoming.resume();
  });
  const client = await RawClient.connect(bench.port);
  client.send(head('GET'));
  await expect
    .poll(() => bench.group.targets[0]?.counters.connections, { timeout: 30_000 })
    .toBe(1);
  client.socket.resetAndDestroy();
  await expect.poll(() => isCancelled, { timeout: 30_000 }).toBe(true);
  expect(bench.recorder.responses[0]).toMatchObject({ status: 499, reason: 'client_closed' });
});

test('a connection whose target was retired meanwhile is not kept', async () => {
  await using bench = await TestBench.start();
  const waiting: ServerResponse[] = [];
  await bench.addHttp((_, response) => waiting.push(response));
  const target = bench.group.targets[0]!;
  const client = await RawClient.connect(bench.port);
  client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  await expect.poll(() => waiting.length, { timeout: 30_000 }).toBe(1);
  bench.server.retire(target);
  waiting[0]!.end('ok');
  await client.untilText('ok');
  expect(bench.server.idleConnections(target)).toBe(0);
  await expect.poll(() => target.counters.connections, { timeout: 30_000 }).toBe(0);
  client.close();
});

test('a target can be retired and severed', async () => {
  await using bench = await TestBench.start();
  await bench.addHttp((incoming, response) => {
    if (incoming.url === '/') response.end('ok');
  });
  const target = bench.group.targets[0]!;
  const client = await RawClient.connect(bench.port);
  client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  await client.untilText('ok');
  const waiting = await RawClient.connect(bench.port);
  waiting.send('POST /never HTTP/1.1\r\nHost: a\r\n\r\n');
  await expect.poll(() => target.inFlight, { timeout: 30_000 }).toBe(1);
  bench.server.retire(target);
  expect(bench.server.idleConnections(target)).toBe(0);
  expect(target.inFlight).toBe(1);
  bench.server.sever(target);
  await waiting.untilText('HTTP/1.1 502 ');
  expect(target.inFlight).toBe(0);
  for (const each of [client, waiting]) each.close();
});

async function spawnUpstream(): Promise<{ child: ChildProcess; port: number }> {
  const file = new URL('../testing/upstream-process.ts', import.meta.url).pathname;
  const child = spawn(process.execPath, [file], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = await once(child.stdout, 'data');
  return { child, port: Number(String(line)) };
}

test('kill -9 of targets under load fails no GET', async () => {
  await using bench = await TestBench.start();
  const upstreams = await Promise.all([spawnUpstream(), spawnUpstream(), spawnUpstream()]);
  for (const { port } of upstreams) bench.addPort(port);
  const agent = agentUnderTest({ keepAlive: true });
  const statuses = new Map<number, number>();
  const over = new AbortController();
  const get = async (): Promise<void> => {
    while (!over.signal.aborted) {
      const path = '/?delay=2';
      const outgoing = requestUnderTest({ port: bench.port, agent, path }).end();
      const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage];
      await incoming.resume().toArray();
      statuses.set(incoming.statusCode!, (statuses.get(incoming.statusCode!) ?? 0) + 1);
    }
  };
  const clients = Array.from({ length: 16 }, get);
  const answered = () => statuses.get(200) ?? 0;
  await expect.poll(answered, { timeout: 30_000 }).toBeGreaterThan(200);
  upstreams[0].child.kill('SIGKILL');
  const before = answered();
  await expect.poll(answered, { timeout: 30_000 }).toBeGreaterThan(before + 200);
  upstreams[1].child.kill('SIGKILL');
  const after = answered();
  await expect.poll(answered, { timeout: 30_000 }).toBeGreaterThan(after + 200);
  over.abort();
  await Promise.all(clients);
  upstreams[2].child.kill('SIGKILL');
  agent.destroy();
  expect([...statuses.keys()]).toEqual([200]);
  expect(bench.server.counters.retries).toBeGreaterThan(0);
});

test('who still sends after a last answer is listened to for a while, but not for ever', async () => {
  const runtime = new ManualClock();
  await using bench = await TestBench.start({ runtime });
  await bench.addTcp(
    answering('HTTP/1.1 413 No\r\nConnection: close\r\nContent-Length: 0\r\n\r\n'),
  );
  const client = await RawClient.connect(bench.port);
  client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n');
  await client.until(() => client.isEnded);
  const { counters } = bench.server;
  const sendFor = async (seconds: number): Promise<void> => {
    for (let passed = 0; passed < seconds && counters.connectionsOpen > 0; passed++) {
      const before = counters.requestBytes;
      client.send('x');
      await expect
        .poll(() => counters.requestBytes > before || counters.connectionsOpen === 0, {
          timeout: 30_000,
        })
        .toBe(true);
      runtime.advance(1_000);
    }
  };
  await sendFor(25);
  expect(counters.connectionsOpen).toBe(1);
  await sendFor(10);
  await expect.poll(() => counters.connectionsOpen, { timeout: 30_000 }).toBe(0);
  client.close();
});
