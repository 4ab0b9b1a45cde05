import { expect, test } from 'vitest';
import { RawClient } from '../testing/raw-client.ts';
import { type BenchOptions, TestBench, answering } from '../testing/test-bench.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

function request(line: string, fields: readonly string[], body = ''): string {
  return `${[line, 'Host: a', 'Connection: close', ...fields].join('\r\n')}\r\n\r\n${body}`;
}

/** What one request becomes: the bytes that the target got, and the answer. */
async function forward(text: string, options: BenchOptions = {}, answer = OK) {
  await using bench = await TestBench.start(options);
  let received = '';
  await bench.addTcp((socket) => {
    socket.on('data', (bytes) => {
      received += bytes.toString('latin1');
    });
    answering(answer)(socket);
  });
  const answered = await RawClient.exchange(bench.port, text);
  return { received, answered, host: bench.recorder.responses[0]?.host };
}

const UNDERSCORED = ['X_Forwarded_For: 6.6.6.6', 'X-Forwarded_For: 6.6.6.6', 'my_own: 1'];

test('header names with an underscore do not reach the target', async () => {
  const { received } = await forward(request('GET / HTTP/1.1', [...UNDERSCORED, 'my-own: 2']));
  expect(received).not.toContain('_');
  expect(received).toContain('my-own: 2\r\n');
});

test('they may be let through, but for those that mean something with a dash', async () => {
  const fields = [...UNDERSCORED, 'Content_Length: 5', 'x_real_ip: 6.6.6.6', 'Via_X: 1'];
  const options = { underscoresInHeaders: true };
  const { received } = await forward(request('GET / HTTP/1.1', fields), options);
  expect(received.match(/^.*_.*$/gm)).toEqual(['my_own: 1', 'Via_X: 1']);
});

const CLAIMS = [
  'X-Forwarded-Prefix: /admin',
  'X-Real-IP: 6.6.6.6',
  'Forwarded: for=6.6.6.6;proto=https',
  'x-forwarded-ssl: on',
  'X-Forwarded-Scheme: https',
  'X-Forwarded-Server: evil',
  'X-Forwarded: 1',
  'X-Client-IP: 6.6.6.6',
  'Front-End-Https: on',
];

test('what a client says of clients before it is dropped', async () => {
  const { received } = await forward(request('GET / HTTP/1.1', CLAIMS));
  for (const claim of CLAIMS) expect(received).not.toContain(claim);
  expect(received.match(/^x-forwarded.*$/gim)).toHaveLength(4);
});

test('from a trusted client it is kept', async () => {
  const { received } = await forward(request('GET / HTTP/1.1', CLAIMS), { trustForwarded: true });
  for (const claim of CLAIMS) expect(received).toContain(`${claim}\r\n`);
});

const CERTIFICATE_CLAIMS = [
  'X-Forwarded-Client-Cert: Hash=0;Subject="CN=admin"',
  'x-forwarded-tls-client-cert: MII',
  'X-SSL-Client-CN: admin',
  'X-SSL-Client-Verify: SUCCESS',
  'ssl-client-subject-dn: CN=admin',
  'X-Client-Cert: MII',
  'X-Client-DN: CN=admin',
  'X-Client-Verify: SUCCESS',
  'X-ARR-ClientCert: MII',
  'X-Amzn-Mtls-Clientcert-Subject: CN=admin',
  'Client-Cert: :MII=:',
  'Client-Cert-Chain: :MII=:',
];

test('nobody, trusted or not, can say whose certificate a client has', async () => {
  for (const trustForwarded of [false, true]) {
    const fields = [...CERTIFICATE_CLAIMS, 'X_SSL_Client_CN: admin', 'X-Client: 1', 'Client: 1'];
    const options = { trustForwarded, underscoresInHeaders: true };
    const { received } = await forward(request('GET / HTTP/1.1', fields), options);
    expect(received).not.toMatch(/cert|ssl|verify|CN=|admin/i);
    expect(received).toContain('X-Client: 1\r\n');
    expect(received).toContain('Client: 1\r\n');
  }
});

test('framing is written anew, however it was written', async () => {
  const te = ['Transfer-Encoding:\tChunked\t ', 'X-Kept:\tv '];
  const { received } = await forward(request('PUT / HTTP/1.1', te, '2\r\nok\r\n0\r\n\r\n'));
  expect(received).toContain('\r\nTransfer-Encoding: chunked\r\n');
  expect(received.match(/transfer-encoding/gi)).toHaveLength(1);
  expect(received).toContain('X-Kept:\tv \r\n');
  const length = await forward(request('PUT / HTTP/1.1', ['Content-Length:\t2\t'], 'ok'));
  expect(length.received).toMatch(/\r\nContent-Length: 2\r\n[^]*\r\n\r\nok$/);
  expect(length.received.match(/content-length/gi)).toHaveLength(1);
});

test.each([
  ['twice', 'Content-Length: 2\r\nContent-length: 2\r\n'],
  ['in a list', 'Content-Length: 2, 2\r\n'],
  ['between tabs', 'Content-Length:\t2\t\r\n'],
])('an answer that gives its length %s is passed on with one', async (_name, lengths) => {
  const { answered } = await forward(
    request('GET / HTTP/1.1', []),
    {},
    `HTTP/1.1 200 OK\r\n${lengths}X: y\r\n\r\nok`,
  );
  expect(answered.match(/content-length.*$/gim)).toEqual(['Content-Length: 2']);
  expect(answered).toContain('\r\nX: y\r\n');
  expect(answered).toMatch(/\r\n\r\nok$/);
});

test('an answer with two different lengths is not believed', async () => {
  const lengths = 'Content-Length: 2\r\nContent-Length: 3\r\n\r\nok';
  const { answered } = await forward(
    request('GET / HTTP/1.1', []),
    {},
    `HTTP/1.1 200 OK\r\n${lengths}`,
  );
  expect(answered).toMatch(/^HTTP\/1\.1 502 /);
});

test('Expect: 100-continue goes on with a body only', async () => {
  const fields = ['Expect: 100-continue'];
  const without = await forward(request('GET / HTTP/1.1', fields));
  expect(without.received).not.toContain('Expect');
  const withBody = await forward(request('PUT / HTTP/1.1', [...fields, 'Content-Length: 2'], 'ok'));
  expect(withBody.received).toContain('Expect: 100-continue\r\n');
});

test.each([
  ['OPTIONS * HTTP/1.1', 204, ''],
  ['TRACE /x HTTP/1.1', 200, 'TRACE /x HTTP/1.1\r\nHost: a\r\nMax-Forwards: 0\r\n\r\n'],
])('%s with no forwards left ends here', async (line, status, body) => {
  const fields = ['Max-Forwards: 0', 'Authorization: secret'];
  const { received, answered } = await forward(request(line, fields));
  expect(received).toBe('');
  expect(answered).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  expect(answered.slice(answered.indexOf('\r\n\r\n') + 4)).toBe(body);
});

test('a forward is counted for TRACE and OPTIONS, and for nothing else', async () => {
  const fields = ['Max-Forwards: 10'];
  const options = await forward(request('OPTIONS * HTTP/1.1', fields));
  expect(options.received.match(/max-forwards.*$/gim)).toEqual(['Max-Forwards: 9']);
  const get = await forward(request('GET / HTTP/1.1', ['Max-Forwards: 0']));
  expect(get.received).toContain('Max-Forwards: 0\r\n');
});

test('both directions say by Via who passed them on, behind those before', async () => {
  const { received, answered } = await forward(
    request('GET / HTTP/1.0', ['Via: 1.1 first']),
    {},
    'HTTP/1.1 200 OK\r\nVia: 1.1 inner\r\nX: y\r\nContent-Length: 2\r\n\r\nok',
  );
  expect(received.match(/^Via.*$/gm)).toEqual(['Via: 1.1 first', 'Via: 1.0 rollcall-test']);
  expect(answered.match(/^Via.*$/gm)).toEqual(['Via: 1.1 inner', 'Via: 1.1 rollcall-test']);
  expect(answered).toMatch(/\r\n\r\nok$/);
});

test('a Date is added where the target sends none, and only there', async () => {
  const without = await forward(request('GET / HTTP/1.1', []));
  expect(without.answered).toContain('\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n');
  const own =
    'HTTP/1.1 200 OK\r\ndate: Mon, 07 Nov 1994 08:49:37 GMT\r\nContent-Length: 2\r\n\r\nok';
  const withOwn = await forward(request('GET / HTTP/1.1', []), {}, own);
  expect(withOwn.answered.match(/^date.*$/gim)).toEqual(['date: Mon, 07 Nov 1994 08:49:37 GMT']);
});

test('a target that leads back here ends in a 508, after one turn', async () => {
  await using bench = await TestBench.start();
  bench.addLike(bench.port);
  // What a client names for one hop cannot hide that the request was here.
  const text = request('POST / HTTP/1.1', ['Connection: Via', 'Content-Length: 2'], 'ok');
  const answer = await RawClient.exchange(bench.port, text);
  expect(answer).toMatch(/^HTTP\/1\.1 508 Loop Detected\r\n/);
  expect(bench.server.counters.requests).toBe(2);
});

test('a circle of two balancers ends where it began', async () => {
  await using first = await TestBench.start({ pseudonym: 'one' });
  await using second = await TestBench.start({ pseudonym: 'two' });
  first.addLike(second.port);
  second.addLike(first.port);
  const answer = await RawClient.exchange(first.port, request('GET / HTTP/1.1', []));
  expect(answer).toMatch(/^HTTP\/1\.1 508 /);
  expect([first, second].map(({ server }) => server.counters.requests)).toEqual([2, 1]);
});

test.each([['Shop.Example.:8080'], ['shop.example.'], ['SHOP.example']])(
  'Host: %s is shop.example for rules, and goes on as it is',
  async (host) => {
    const text = `GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;
    const forwarded = await forward(text);
    expect(forwarded.host).toBe('shop.example');
    expect(forwarded.received).toContain(`\r\nHost: ${host}\r\n`);
  },
);
