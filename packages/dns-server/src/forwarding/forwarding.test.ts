import { type Socket, createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type Server, createServer } from 'node:net';
import { freePort } from '@rollcall/testkit';
import { decode, encode } from 'dns-packet';
import { expect, onTestFinished, test } from 'vitest';
import { askTcp, askUdp } from '../testing/dns-client.ts';
import { decoded, lines, queryBytes } from '../testing/packets.ts';
import { startServer } from '../testing/running-server.ts';
import { declared, instances, snapshot } from '../testing/snapshots.ts';
import { MessageSplitter, framed } from '../wire/tcp-framing.ts';

interface FakeUpstream {
  readonly flag: string;
  readonly seen: Buffer[];
}

/** Somebody else's server on a free port: answers every name over UDP and TCP, or as told. */
async function startUpstream(
  answer: (query: Buffer, reply: (bytes: Buffer) => void) => Buffer | undefined | void = (query) =>
    answerTo(query),
): Promise<FakeUpstream> {
  const udp: Socket = createSocket('udp4');
  const seen: Buffer[] = [];
  let isClosed = false;
  udp.on('message', (query, { port, address }) => {
    seen.push(query);
    const send = (bytes: Buffer): void => {
      if (!isClosed) udp.send(bytes, port, address);
    };
    const reply = answer(query, send);
    if (reply !== undefined) send(reply);
  });
  const tcp: Server = createServer((socket) => {
    const splitter = new MessageSplitter();
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => {
      splitter.push(chunk);
      const query = splitter.next();
      const send = (bytes: Buffer): void => void socket.write(framed(bytes));
      const reply = query && answer(query, send);
      if (reply !== undefined) send(reply);
    });
  });
  const port = await freePort();
  udp.bind(port, '127.0.0.1');
  await once(udp, 'listening');
  tcp.listen(port, '127.0.0.1');
  await once(tcp, 'listening');
  onTestFinished(() => {
    isClosed = true;
    udp.close();
    tcp.close();
  });
  return { flag: `--forward=127.0.0.1:${port}`, seen };
}

function answerTo(query: Buffer, data = '192.0.2.1'): Buffer {
  const { id, questions } = decode(query);
  const name = questions![0]!.name;
  return encode({
    type: 'response',
    id: id!,
    flags: 0x8180,
    questions: questions!,
    answers: [{ type: 'A', name, data }],
  });
}

const nginx = snapshot('nginx', { endpoints: instances(1) });

test('other names are asked elsewhere by the transport of the query, under another id, and own ones are not', async () => {
  const upstream = await startUpstream();
  const { address } = await startServer([nginx], upstream.flag);
  const query = queryBytes('Example.COM', 'A', { id: 77, edns: 4_096 });
  const answer = decoded(await askUdp(address, query));
  expect(answer).toMatchObject({ id: 77, questions: [{ name: 'Example.COM' }], flag_ra: true });
  expect(lines(answer.answers)).toEqual(['A 192.0.2.1']);
  expect(upstream.seen).toHaveLength(1);
  expect(upstream.seen[0]!.subarray(2)).toEqual(query.subarray(2));
  const [over] = await askTcp(address, [queryBytes('example.com', 'A', { id: 78 })]);
  expect(decoded(over!)).toMatchObject({ id: 78, answers: [{ data: '192.0.2.1' }] });
  for (const name of ['nginx', 'nope', 'nope.default.svc.cluster.local', 'nope.svc'])
    expect(decoded(await askUdp(address, queryBytes(name, 'A'))).flag_aa).toBe(true);
  expect(upstream.seen).toHaveLength(1);
});

test('an upstream that says nothing is followed by the next one, and by SERVFAIL at the end', async () => {
  const silent = await startUpstream(() => undefined);
  const good = await startUpstream();
  const timeout = '--forward-timeout-ms=50';
  const both = await startServer([], silent.flag, good.flag, timeout);
  for (let i = 0; i < 3; i++) {
    const answer = decoded(await askUdp(both.address, queryBytes('example.com', 'A')));
    expect(lines(answer.answers)).toEqual(['A 192.0.2.1']);
  }
  // The one that answered goes first from then on.
  expect(silent.seen).toHaveLength(1);
  const alone = await startServer([], silent.flag, timeout);
  const failed = decoded(await askUdp(alone.address, queryBytes('example.com', 'A', { id: 5 })));
  expect(failed).toMatchObject({ rcode: 'SERVFAIL', id: 5, questions: [{ name: 'example.com' }] });
  const [tcp] = await askTcp(alone.address, [queryBytes('example.com', 'A')]);
  expect(decoded(tcp!).rcode).toBe('SERVFAIL');
});

test('an upstream that is not there costs no waiting', async () => {
  const flag = `--forward=127.0.0.1:${await freePort()}`;
  const { address } = await startServer([], flag, '--forward-timeout-ms=60000');
  for (let i = 0; i < 2; i++)
    expect(decoded(await askUdp(address, queryBytes('example.com', 'A'))).rcode).toBe('SERVFAIL');
  const [tcp] = await askTcp(address, [queryBytes('example.com', 'A')]);
  expect(decoded(tcp!).rcode).toBe('SERVFAIL');
});

test('answers to another question or id are not believed', async () => {
  const liar = await startUpstream((query) => {
    const other = Buffer.from(answerTo(query, '192.0.2.66'));
    other[13]! ^= 0x01;
    return other;
  });
  const { address } = await startServer([], liar.flag, '--forward-timeout-ms=50');
  expect(decoded(await askUdp(address, queryBytes('example.com', 'A'))).rcode).toBe('SERVFAIL');
});

test('no more are under way than allowed', async () => {
  const silent = await startUpstream(() => undefined);
  const { address } = await startServer(
    [],
    silent.flag,
    '--max-forwards=1',
    '--forward-timeout-ms=60000',
  );
  const abandoned = askUdp(address, queryBytes('a.example.com', 'A')).catch(() => undefined);
  await expect.poll(() => silent.seen.length).toBe(1);
  expect(decoded(await askUdp(address, queryBytes('b.example.com', 'A'))).rcode).toBe('SERVFAIL');
  void abandoned;
});

test('while cold own names are SERVFAIL and others are forwarded', async () => {
  const upstream = await startUpstream();
  const { address, catalog } = await startServer([nginx], upstream.flag);
  catalog.isReady = false;
  for (const name of ['nginx', 'nginx.default', 'x.svc', 'nginx.default.svc.cluster.local'])
    expect(decoded(await askUdp(address, queryBytes(name, 'A'))).rcode).toBe('SERVFAIL');
  expect(decoded(await askUdp(address, queryBytes('example.com', 'A'))).rcode).toBe('NOERROR');
});

const database = snapshot('db', {
  declared: declared({ type: 'ExternalName', externalName: 'db.example.com' }),
});

test('an alias is followed to others, since programs do not do it themselves', async () => {
  const upstream = await startUpstream();
  const { address } = await startServer([database, nginx], upstream.flag);
  for (const name of ['db', 'db.default.svc.cluster.local']) {
    const query = queryBytes(name, 'A', { id: 9, edns: 1_232 });
    // Another one comes between: what was read of the first must not be lost.
    const [answer] = await Promise.all([
      askUdp(address, query),
      askUdp(address, queryBytes('nginx', 'A')),
    ]);
    const read = decoded(answer);
    expect(read).toMatchObject({ id: 9, rcode: 'NOERROR', questions: [{ name }] });
    expect(lines(read.answers)).toEqual(['CNAME db.example.com', 'A 192.0.2.1']);
    expect(read.answers![1]).toMatchObject({ name: 'db.example.com' });
  }
  expect(decode(upstream.seen[0]!)).toMatchObject({
    flag_rd: true,
    questions: [{ name: 'db.example.com', type: 'A' }],
  });
  const text = decoded(await askUdp(address, queryBytes('db', 'TXT')));
  expect(lines(text.answers)).toEqual(['CNAME db.example.com']);
  expect(upstream.seen).toHaveLength(2);
});

test('an alias of a name that nobody tells is SERVFAIL; what does not fit into UDP is fetched by TCP', async () => {
  const broken = await startUpstream((query) => query.subarray(0, 12).fill(0x80, 2, 3));
  const failing = await startServer([database], broken.flag, '--forward-timeout-ms=50');
  const failed = await askUdp(failing.address, queryBytes('db', 'A'));
  expect(decoded(failed)).toMatchObject({ rcode: 'SERVFAIL', questions: [{ name: 'db' }] });
  const large = await startUpstream((query) => {
    const answer = answerTo(query);
    // The second time is by TCP.
    if (large.seen.length > asked) answer[2]! |= 0x02;
    asked = large.seen.length;
    return answer;
  });
  let asked = 0;
  const { address } = await startServer([database], large.flag);
  const read = decoded(await askUdp(address, queryBytes('db', 'A')));
  expect(lines(read.answers)).toEqual(['CNAME db.example.com', 'A 192.0.2.1']);
});

test('what several ask at the same time is asked once, and each gets it under its own id', async () => {
  const held: (() => void)[] = [];
  const upstream = await startUpstream(
    (query, reply) => void held.push(() => reply(answerTo(query))),
  );
  const { address } = await startServer([], upstream.flag);
  const ids = [1, 2, 3, 4, 5];
  const asked = ids.map((id) => askUdp(address, queryBytes('example.com', 'A', { id })));
  const other = askUdp(address, queryBytes('example.com', 'AAAA', { id: 9 }));
  await expect.poll(() => upstream.seen.length).toBe(2);
  for (const release of held) release();
  const answers = await Promise.all(asked);
  expect(answers.map((answer) => decoded(answer).id)).toEqual(ids);
  for (const answer of answers) expect(lines(decoded(answer).answers)).toEqual(['A 192.0.2.1']);
  await other;
  expect(upstream.seen).toHaveLength(2);
});

test('two servers that forward to each other ask each other once', async () => {
  const port = await freePort();
  const timeout = '--forward-timeout-ms=300';
  const first = await startServer(
    [],
    `--forward=127.0.0.1:${port}`,
    timeout,
    '--metrics=127.0.0.1:0',
  );
  const { port: back } = first.address;
  await startServer([], `--forward=127.0.0.1:${back}`, timeout, `--port=${port}`);
  const answer = await askUdp(first.address, queryBytes('example.com', 'A'));
  expect(decoded(answer).rcode).toBe('SERVFAIL');
  const [over] = await askTcp(first.address, [queryBytes('example.com', 'A')]);
  expect(decoded(over!).rcode).toBe('SERVFAIL');
  const text = await (await fetch(`${first.server.admin}/metrics`)).text();
  expect(text).toContain('rollcall_dns_forwarded_total 2');
  expect(text).toContain('rollcall_dns_queries_total{transport="udp"} 2');
});

test('a loop that changes the spelling of the question ends as well', async () => {
  let turns = 0;
  const address: { port: number; host: string } = { host: '127.0.0.1', port: 0 };
  // Sends each question back in other letters, as resolvers do against forgers.
  const upstream = await startUpstream((query, reply) => {
    turns++;
    const other = Buffer.from(query);
    for (let bit = 0; bit < 7; bit++) if ((turns >> bit) & 1) other[13 + bit]! ^= 0x20;
    askUdp(address, other).then(reply, () => {});
  });
  const server = await startServer([], upstream.flag, '--forward-timeout-ms=500');
  address.port = server.address.port;
  const answer = await askUdp(server.address, queryBytes('example.com', 'A'));
  expect(decoded(answer).rcode).toBe('SERVFAIL');
  expect(turns).toBeLessThanOrEqual(9);
});
