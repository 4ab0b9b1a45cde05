import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { expect, test } from 'vitest';
import { RawClient } from '../testing/raw-client.ts';
import { agentUnderTest, isOverTls, requestUnderTest } from '../testing/tls-under-test.ts';
import { TestBench, answering } from '../testing/test-bench.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const LAST_GET = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';

test('takes the targets in turn and uses connections again on both sides', async () => {
  await using bench = await TestBench.start();
  const connections: number[] = [0, 0];
  for (const i of [0, 1]) {
    const server = await bench.addHttp((_, response) => response.end(`target ${i}`));
    server.on('connection', () => connections[i]!++);
  }
  const client = await RawClient.connect(bench.port);
  for (let n = 1; n <= 6; n++) {
    client.send(GET);
    await client.until(() => client.text.split('target ').length > n);
  }
  expect(client.text.match(/target \d/g)).toEqual([0, 1, 0, 1, 0, 1].map((i) => `target ${i}`));
  expect(connections).toEqual([1, 1]);
  expect(bench.server.counters).toMatchObject({
    connectionsAccepted: 1,
    requests: 6,
    requestsInFlight: 0,
    upstreamConnects: 2,
    upstreamReuses: 4,
  });
  client.close();
});

test('answers pipelined requests in order', async () => {
  await using bench = await TestBench.start();
  const started: string[] = [];
  await bench.addHttp((incoming, response) => {
    started.push(incoming.url!);
    setTimeout(() => response.end(`answer${incoming.url}.`), incoming.url === '/0' ? 30 : 0);
  });
  const requests = [0, 1, 2, 3, 4].map((n) => `GET /${n} HTTP/1.1\r\nHost: a\r\n\r\n`).join('');
  const client = await RawClient.connect(bench.port);
  client.send(requests);
  await client.untilText('answer/4.');
  expect(client.text.match(/answer\/\d/g)).toEqual([0, 1, 2, 3, 4].map((n) => `answer/${n}`));
  expect(started).toEqual(['/0', '/1', '/2', '/3', '/4']);
  client.close();
});

test('strips what is meant for one hop and adds X-Forwarded-*', async () => {
  await using bench = await TestBench.start();
  let seen: string[] = [];
  await bench.addHttp((incoming, response) => {
    seen = incoming.rawHeaders;
    response.writeHead(200, { Connection: 'keep-alive, X-Own', 'X-Own': '1', 'X-Kept': '2' });
    response.end();
  });
  const fields = [
    'Host: shop.example:81',
    'Connection: close, X-Hop, Content-Length, Host',
    'X-Hop: 1',
    'Keep-Alive: 300',
    'Proxy-Authorization: secret',
    'Proxy: http://evil',
    'TE: trailers',
    'Upgrade: h2c',
    'X-Forwarded-For: 10.0.0.9',
    'X-Forwarded-Proto: https',
    'X-Forwarded-Host: evil',
    'Content-Length: 2',
    'X-End: kept',
  ];
  const answer = await RawClient.exchange(
    bench.port,
    `POST /x HTTP/1.1\r\n${fields.join('\r\n')}\r\n\r\nok`,
  );
  const expected: [string, string][] = [
    ['Host', 'shop.example:81'],
    ['X-Forwarded-For', '10.0.0.9, 127.0.0.1'],
    ['X-Forwarded-Host', 'shop.example:81'],
    ['X-Forwarded-Proto', isOverTls() ? 'https' : 'http'],
    ['X-Forwarded-Port', String(bench.port)],
    ['Content-Length', '2'],
    ['X-End', 'kept'],
    ['Via', '1.1 rollcall-test'],
  ];
  expect(seen).toEqual(expected.flat());
  expect(answer).toContain('Connection: close\r\n');
  expect(answer).toContain('X-Kept: 2');
  expect(answer).not.toMatch(/keep-alive|X-Own/i);
});

test('behind a trusted balancer the scheme and host of the first one stay', async () => {
  await using bench = await TestBench.start({ trustForwarded: true });
  let seen: NodeJS.Dict<string | string[]> = {};
  await bench.addHttp((incoming, response) => {
    seen = incoming.headers;
    response.end();
  });
  const fields = 'X-Forwarded-Proto: https\r\nX-Forwarded-Host: first\r\nX-Forwarded-Port: 443';
  const head = `GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${fields}\r\n\r\n`;
  await RawClient.exchange(bench.port, head);
  expect(seen).toMatchObject({
    'x-forwarded-proto': 'https',
    'x-forwarded-host': 'first',
    'x-forwarded-port': '443',
    'x-forwarded-for': '127.0.0.1',
  });
});

test('100-continue works from end to end', async () => {
  await using bench = await TestBench.start();
  await bench.addHttp((incoming, response) => {
    incoming.pipe(response);
  });
  const client = await RawClient.connect(bench.port);
  client.send(
    'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n',
  );
  await client.untilText('HTTP/1.1 100 Continue\r\n\r\n');
  client.send('body');
  await client.until(() => client.isEnded);
  expect(client.text).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK\r\n/);
  expect(client.text).toContain('body');
  client.close();
});

test('HEAD, 204 and 304 have no body and leave the connection usable', async () => {
  await using bench = await TestBench.start();
  await bench.addHttp((incoming, response) => {
    if (incoming.url === '/204') response.writeHead(204).end();
    else if (incoming.url === '/304') response.writeHead(304, { 'Content-Length': 7 }).end();
    else response.end('content');
  });
  const requests = ['HEAD /', 'GET /204', 'GET /304', 'GET /end'].map(
    (line) => `${line} HTTP/1.1\r\nHost: a\r\n\r\n`,
  );
  const client = await RawClient.connect(bench.port);
  client.send(requests.join(''));
  await client.untilText('content');
  const statuses = [...client.text.matchAll(/HTTP\/1\.1 (\d+)/g)].map((match) => match[1]);
  expect(statuses).toEqual(['200', '204', '304', '200']);
  client.close();
});

test('an HTTP/1.0 client gets plain bytes and the end of the connection', async () => {
  await using bench = await TestBench.start();
  let host: string | undefined;
  await bench.addHttp((incoming, response) => {
    host = incoming.headers.host;
    response.write('in ');
    response.end('chunks');
  });
  const answer = await RawClient.exchange(bench.port, 'GET / HTTP/1.0\r\n\r\n');
  expect(answer).toMatch(/\r\n\r\nin chunks$/);
  expect(answer).toContain('Connection: close');
  expect(answer).not.toMatch(/transfer-encoding/i);
  expect(host).toBe(`127.0.0.1:${bench.port}`);
});

test('an HTTP/1.0 client that asks for it keeps its connection', async () => {
  await using bench = await TestBench.start();
  await bench.addTcp(answering('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'));
  const client = await RawClient.connect(bench.port);
  const head = 'GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n';
  client.send(head);
  await client.untilText('\r\n\r\nok');
  expect(client.text).toContain('Connection: keep-alive\r\n');
  client.send(head);
  await client.until(() => client.text.match(/\r\n\r\nok/g)?.length === 2);
  client.close();
});

test('a body that ends with the connection is passed on so', async () => {
  await using bench = await TestBench.start();
  await bench.addTcp(answering('HTTP/1.1 200 OK\r\n\r\nuntil the end', (socket) => socket.end()));
  const answer = await RawClient.exchange(bench.port, GET);
  expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\nConnection: close\r\n[^]*\r\n\r\nuntil the end$/);
});

test('a WebSocket is tunnelled both ways, with bytes sent early', async () => {
  await using bench = await TestBench.start();
  const server = await bench.addHttp((_, response) => response.end('no upgrade'));
  server.on('upgrade', (incoming, socket, early) => {
    expect(incoming.headers.connection).toBe('Upgrade');
    socket.write(
      'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n',
    );
    socket.write('Sec-WebSocket-Accept: x\r\n\r\n');
    socket.write(early);
    socket.pipe(socket);
  });
  const client = await RawClient.connect(bench.port);
  client.send(
    'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: WebSocket\r\n\r\nearly.',
  );
  await client.untilText('early.');
  expect(client.text).toMatch(/^HTTP\/1\.1 101 Switching Protocols\r\nConnection: Upgrade\r\n/);
  client.send('GET / HTTP/1.1\r\n\r\nis no request here.');
  await client.untilText('is no request here.');
  client.socket.end();
  await client.until(() => client.isEnded);
  expect(bench.recorder.responses).toHaveLength(1);
  expect(bench.recorder.responses[0]).toMatchObject({ status: 101, reason: '' });
});

test('a target that switches protocols unasked is not believed', async () => {
  await using bench = await TestBench.start();
  await bench.addTcp(answering('HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n'));
  const answer = await RawClient.exchange(bench.port, LAST_GET);
  expect(answer).toMatch(/^HTTP\/1\.1 502 /);
});

test('a client that half-closes gets its answer', async () => {
  await using bench = await TestBench.start();
  await bench.addHttp((_, response) => {
    setTimeout(() => response.end('late'), 20);
  });
  const client = await RawClient.connect(bench.port);
  client.send(GET);
  client.socket.end();
  await client.until(() => client.isEnded);
  expect(client.text).toContain('late');
});

test('an early answer reaches a client that is still sending', async () => {
  await using bench = await TestBench.start();
  await bench.addHttp((_, response) => {
    response.writeHead(413).end('too much');
  });
  const client = await RawClient.connect(bench.port);
  client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\nsome');
  await client.untilText('too much');
  expect(client.text).toContain('Connection: close');
  client.send('x'.repeat(100_000));
  await client.until(() => client.isEnded);
  client.close();
});

test('a slow reader of a large answer holds the target back, and gets every byte', async () => {
  const size = 100_000_000;
  await using bench = await TestBench.start();
  let sent = 0;
  const chunk = Buffer.alloc(1_000_000, 'x');
  const send = (response: ServerResponse): void => {
    while (sent < size) {
      sent += chunk.length;
      if (response.write(chunk)) continue;
      response.once('drain', () => send(response));
      return;
    }
    response.end();
  };
  await bench.addHttp((_, response) => {
    response.writeHead(200, { 'Content-Length': size });
    send(response);
  });
  const agent = agentUnderTest();
  const outgoing = requestUnderTest({ port: bench.port, agent }).end();
  const [incoming] = await once(outgoing, 'response');
  incoming.pause();
  let before = -1;
  // Kernel buffers on two hops fill up, then nothing moves any more.
  while (sent !== before) {
    before = sent;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  expect(sent).toBeLessThan(size / 3);
  let received = 0;
  for await (const piece of incoming) received += piece.length;
  expect(received).toBe(size);
  agent.destroy();
});

test('a slow target holds a large upload back, and gets every byte', async () => {
  const size = 50_000_000;
  await using bench = await TestBench.start();
  let received = 0;
  let isReading = false;
  await bench.addHttp((incoming, response) => {
    incoming.pause();
    incoming.on('data', (chunk: Buffer) => {
      received += chunk.length;
    });
    incoming.pause();
    incoming.on('end', () => response.end(String(received)));
    setInterval(() => isReading && incoming.resume(), 20).unref();
  });
  const outgoing = requestUnderTest({ port: bench.port, method: 'POST', agent: false });
  let sent = 0;
  const chunk = Buffer.alloc(1_000_000, 'x');
  const answer = once(outgoing, 'response');
  const upload = (async () => {
    while (sent < size) {
      sent += chunk.length;
      if (!outgoing.write(chunk)) await once(outgoing, 'drain');
    }
    outgoing.end();
  })();
  let before = -1;
  while (sent !== before) {
    before = sent;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  expect(sent).toBeLessThan(size / 2);
  isReading = true;
  await upload;
  const [incoming] = await answer;
  expect(Buffer.concat(await incoming.toArray()).toString()).toBe(String(size));
});

test('what a slow client has not taken is not written over by later connections', async () => {
  await using bench = await TestBench.start();
  const bodyOf = (path: string) => `${path} `.repeat(Math.floor(6_000 / (path.length + 1)));
  const state = { answers: 0 };
  // Each answer comes over a connection of its own, which ends with it.
  await bench.addHttp((incoming, response) => {
    state.answers++;
    response.setHeader('Connection', 'close').end(bodyOf(incoming.url!));
  });
  const slow = await RawClient.connect(bench.port);
  slow.socket.pause();
  const paths = Array.from({ length: 3_000 }, (_, at) => `/slow-${at}`);
  slow.send(paths.map((path) => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`).join(''));
  slow.send(LAST_GET);
  // It is answered no more once nothing fits between here and there.
  let before = -1;
  while (state.answers !== before || state.answers === 0) {
    before = state.answers;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  expect(state.answers).toBeLessThan(paths.length);
  for (let at = 0; at < 100; at++) {
    const path = `/quick-${at}`;
    const answer = await RawClient.exchange(
      bench.port,
      `GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`,
    );
    expect(answer.endsWith(bodyOf(path))).toBe(true);
  }
  slow.socket.resume();
  await slow.until(() => slow.isEnded);
  const bodies = slow.text.split(/HTTP\/1\.1 200 OK\r\n[^]*?\r\n\r\n/).slice(1, -1);
  expect(bodies).toHaveLength(paths.length);
  for (const [at, body] of bodies.entries())
    if (body !== bodyOf(paths[at]!)) expect.fail(`answer ${at} begins ${body.slice(0, 40)}`);
}, 60_000);

test('the connection of a client that asked for its end ends with the answer', async () => {
  await using bench = await TestBench.start();
  await bench.addHttp((_, response) => response.end('done'));
  const client = await RawClient.connect(bench.port);
  client.send(LAST_GET);
  // It has not ended its own side.
  await client.until(() => client.isEnded);
  expect(client.text.endsWith('done')).toBe(true);
  await expect.poll(() => bench.server.counters.connectionsOpen).toBe(0);
  client.close();
});

test('a client that vanishes in the middle of its answer leaves nothing behind for the next one', async () => {
  await using bench = await TestBench.start();
  await bench.addHttp((incoming, response) => {
    response.end(
      incoming.url === '/big' ? Buffer.alloc(20_000_000, 'x') : `answer ${incoming.url}`,
    );
  });
  for (let at = 0; at < 3; at++) {
    const slow = await RawClient.connect(bench.port);
    slow.socket.pause();
    slow.send('GET /big HTTP/1.1\r\nHost: a\r\n\r\n');
    await expect
      .poll(() => bench.server.counters.responseBytes)
      .toBeGreaterThan(100_000 * (at + 1));
    slow.socket.resetAndDestroy();
    await expect.poll(() => bench.server.counters.connectionsOpen).toBe(0);
    const answer = await RawClient.exchange(
      bench.port,
      `GET /${at} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`,
    );
    expect(answer.endsWith(`answer /${at}`)).toBe(true);
    await expect.poll(() => bench.server.counters.connectionsOpen).toBe(0);
  }
});
