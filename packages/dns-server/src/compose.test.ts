import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { until } from '@rollcall/testkit';
import { expect, onTestFinished, test } from 'vitest';
import { startDnsServer } from './compose.ts';
import { readConfig } from './config/config.ts';
import { type Address, askTcp, askUdp } from './testing/dns-client.ts';
import { framed } from './wire/tcp-framing.ts';
import { FakeCatalog } from './testing/fake-catalog.ts';
import { type AskOptions, decoded, lines, queryBytes } from './testing/packets.ts';
import { startServer } from './testing/running-server.ts';
import { declared, instances, snapshot } from './testing/snapshots.ts';

const udp = async (address: Address, name: string, type: string, options?: AskOptions) =>
  decoded(await askUdp(address, queryBytes(name, type, options)));
const tcp = async (address: Address, name: string, type: string) => {
  const [answer] = await askTcp(address, [queryBytes(name, type)]);
  return decoded(answer!);
};

const nginx = (count: number) => snapshot('nginx', { endpoints: instances(count) });

test('answers over UDP and over TCP on the same port, on each of its addresses', async () => {
  const flags = ['--host=127.0.0.1', '--host=127.0.0.2', '--host=::1'];
  const { server } = await startServer([nginx(1)], ...flags);
  expect(server.addresses.map(({ host }) => host)).toEqual(['127.0.0.1', '127.0.0.2', '::1']);
  for (const address of server.addresses) {
    expect(lines((await udp(address, 'nginx', 'A')).answers)).toEqual(['A 10.0.0.0']);
    expect(lines((await tcp(address, 'nginx', 'A')).answers)).toEqual(['A 10.0.0.0']);
  }
});

test('echoes the case of the question', async () => {
  const { address } = await startServer([nginx(1)]);
  const message = queryBytes('nGiNx.DEFAULT.svc.Cluster.Local', 'A');
  const answer = await askUdp(address, message);
  expect(answer.subarray(12, message.length)).toEqual(message.subarray(12));
  expect(decoded(answer).rcode).toBe('NOERROR');
});

test('what does not fit is cut over UDP and whole over TCP', async () => {
  const { address } = await startServer([nginx(100)]);
  const cut = await udp(address, 'nginx', 'A');
  expect(cut.flag_tc).toBe(true);
  expect(cut.answers!.length).toBe(30);
  const whole = await tcp(address, 'nginx', 'A');
  expect(whole.flag_tc).toBe(false);
  expect(whole.answers).toHaveLength(100);
});

test('clients on this machine get as much over UDP as they ask for; a given --udp-payload binds them too', async () => {
  const { address } = await startServer([nginx(100)]);
  expect((await udp(address, 'nginx', 'SRV', { edns: 512 })).flag_tc).toBe(true);
  expect((await udp(address, 'nginx', 'SRV', { edns: 1_232 })).flag_tc).toBe(true);
  const large = await udp(address, 'nginx', 'SRV', { edns: 8_192 });
  expect(large).toMatchObject({ flag_tc: false });
  expect(large.answers).toHaveLength(100);
  expect(large.additionals!.at(-1)).toMatchObject({ type: 'OPT', udpPayloadSize: 1_232 });
  const bound = await startServer([nginx(100)], '--udp-payload=1400');
  const small = await udp(bound.address, 'nginx', 'SRV', { edns: 8_192 });
  expect(small).toMatchObject({ flag_tc: true });
  expect(small.additionals).toMatchObject([{ type: 'OPT', udpPayloadSize: 1_400 }]);
});

test('additionals go before answers do', async () => {
  const { address } = await startServer([nginx(18)]);
  const answer = await udp(address, '_http._tcp.nginx', 'SRV', { edns: 1_232 });
  expect(answer).toMatchObject({ flag_tc: false });
  expect(answer.answers).toHaveLength(18);
  expect(lines(answer.additionals).length).toBeLessThan(18);
});

test('OPT is answered only by OPT', async () => {
  const { address } = await startServer([nginx(1)]);
  expect((await udp(address, 'nginx', 'A')).additionals).toEqual([]);
  const answer = await udp(address, 'nginx', 'A', { edns: 4_096 });
  expect(answer.additionals).toMatchObject([{ type: 'OPT', ednsVersion: 0 }]);
});

test('queries on one TCP connection are all answered, sent at once or byte by byte', async () => {
  const { address } = await startServer([nginx(3)]);
  const queries = Array.from({ length: 200 }, (_, id) => queryBytes('nginx', 'A', { id }));
  for (const chunk of [undefined, 1_000, 7]) {
    const options = chunk === undefined ? {} : { chunk };
    const answers = await askTcp(address, queries, options);
    expect(answers.map((answer) => decoded(answer).id)).toEqual(queries.map((_, id) => id));
  }
  const bytes = await askTcp(address, queries.slice(0, 3), { chunk: 1 });
  expect(bytes).toHaveLength(3);
});

test('a TCP client that reads late gets every answer, and is answered only as fast as it reads', async () => {
  const { address, server } = await startServer([nginx(1_000)], '--metrics=127.0.0.1:0');
  const answered = async () => {
    const text = await (await fetch(`${server.admin}/metrics`)).text();
    return Number(/queries_total\{transport="tcp"\} (\d+)/.exec(text)?.[1]);
  };
  const query = queryBytes('nginx', 'SRV');
  const [one] = await askTcp(address, [query]);
  const socket = connect(address);
  onTestFinished(() => void socket.destroy());
  const count = 1_000;
  socket.pause();
  socket.write(Buffer.concat(Array.from({ length: count }, () => framed(query))));
  await until(async () => (await answered()) > 10);
  expect(await answered()).toBeLessThan(count / 2);
  let total = 0;
  socket.on('data', (chunk: Buffer) => (total += chunk.length));
  socket.resume();
  await until(() => total === count * (one!.length + 2));
  expect(await answered()).toBe(count + 1);
});

test('beyond the limit a silent TCP connection makes room, and is closed anyway after a while', async () => {
  const { address } = await startServer([nginx(1)], '--max-tcp-connections=1', '--tcp-idle-ms=150');
  const first = connect(address);
  await once(first, 'connect');
  first.resume();
  const closed = once(first, 'close');
  expect((await tcp(address, 'nginx', 'A')).rcode).toBe('NOERROR');
  await closed;
  const second = connect(address);
  second.resume();
  await once(second, 'close');
  await until(async () => (await tcp(address, 'nginx', 'A')).rcode === 'NOERROR');
});

test('SERVFAIL while cold, never an empty answer; then answers', async () => {
  const { address, catalog } = await startServer([]);
  catalog.isReady = false;
  for (const name of ['nginx', 'nginx.default.svc.cluster.local', 'cluster.local', 'example.com'])
    expect(await udp(address, name, 'A')).toMatchObject({ rcode: 'SERVFAIL', flag_aa: false });
  expect((await tcp(address, 'nginx', 'A')).rcode).toBe('SERVFAIL');
  catalog.put(nginx(1));
  expect((await udp(address, 'nginx', 'A')).rcode).toBe('SERVFAIL');
  catalog.isReady = true;
  expect(lines((await udp(address, 'nginx', 'A')).answers)).toEqual(['A 10.0.0.0']);
});

test('follows the catalog', async () => {
  const { address, catalog } = await startServer([nginx(1)]);
  catalog.put(nginx(2));
  expect((await udp(address, 'nginx', 'A')).answers).toHaveLength(2);
  catalog.remove('default', 'nginx');
  expect((await udp(address, 'nginx', 'A')).rcode).toBe('NXDOMAIN');
});

test('N11: other names, other classes and zone transfers are refused', async () => {
  const { address } = await startServer([nginx(1)]);
  expect(await udp(address, 'example.com', 'A')).toMatchObject({
    rcode: 'REFUSED',
    flag_aa: false,
  });
  expect((await udp(address, 'nginx', 'A', { class: 'CH' })).rcode).toBe('REFUSED');
  expect((await tcp(address, 'cluster.local', 'AXFR')).rcode).toBe('REFUSED');
  expect((await udp(address, 'nginx', 'A', { class: 'ANY' })).rcode).toBe('NOERROR');
});

test('malformed packets are answered by an error or not at all, and do no harm', async () => {
  const { address } = await startServer([nginx(1)]);
  const socket = createSocket('udp4');
  onTestFinished(() => void socket.close());
  const query = queryBytes('nginx', 'A');
  for (const bad of [Buffer.alloc(0), Buffer.alloc(11), Buffer.alloc(12, 0xff)])
    socket.send(bad, address.port, address.host);
  for (let cut = 12; cut < query.length; cut++) {
    const answer = await askUdp(address, query.subarray(0, cut));
    expect(decoded(answer)).toMatchObject({ rcode: 'FORMERR', id: 4_711 });
  }
  const update = Buffer.from(query);
  update[2] = 0x28;
  expect(decoded(await askUdp(address, update)).rcode).toBe('NOTIMP');
  await expect(askTcp(address, [Buffer.alloc(3)])).rejects.toThrow('closed');
  expect((await udp(address, 'nginx', 'A')).rcode).toBe('NOERROR');
});

test('metrics and readiness', async () => {
  const { server, catalog, address } = await startServer([nginx(1)], '--metrics=127.0.0.1:0');
  await udp(address, 'nginx', 'A');
  await udp(address, 'nope', 'A');
  await tcp(address, 'nginx', 'A');
  const text = await (await fetch(`${server.admin}/metrics`)).text();
  for (const line of [
    'rollcall_dns_queries_total{transport="udp"} 2',
    'rollcall_dns_queries_total{transport="tcp"} 1',
    'rollcall_dns_answers_total{rcode="NOERROR"} 2',
    'rollcall_dns_answers_total{rcode="NXDOMAIN"} 1',
    'rollcall_dns_services 1',
    'rollcall_dns_ready 1',
    'rollcall_dns_picture_age_seconds 0',
  ])
    expect(text).toContain(`${line}\n`);
  expect((await fetch(`${server.admin}/readyz`)).status).toBe(200);
  catalog.isReady = false;
  expect((await fetch(`${server.admin}/readyz`)).status).toBe(503);
  expect((await fetch(`${server.admin}/livez`)).status).toBe(200);
});

test('a taken port is said with the options that choose another one, and nothing stays open', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  onTestFinished(() => void taken.close());
  const { port } = taken.address() as { port: number };
  const flags = ['--registry=http://127.0.0.1:1', `--port=${port}`, '--metrics=off'];
  const starting = startDnsServer(readConfig(flags), { catalog: new FakeCatalog() });
  await expect(starting).rejects.toThrow(
    `cannot listen on 127.0.0.1:${port}: another program listens there already; choose another address with --host or --port`,
  );
  const socket = createSocket('udp4').bind(port, '127.0.0.1');
  await once(socket, 'listening');
  socket.close();
});

test('closing twice does no harm, and frees the port', async () => {
  const { server, address } = await startServer([nginx(1)]);
  await Promise.all([server.close(), server.close()]);
  await server.close();
  const again = await startServer([nginx(1)], `--port=${address.port}`);
  expect(again.address.port).toBe(address.port);
});

test('an alias over the wire', async () => {
  const kind = declared({ type: 'ExternalName', externalName: 'db.example.com' });
  const { address } = await startServer([snapshot('db', { declared: kind })]);
  expect(lines((await udp(address, 'db', 'A')).answers)).toEqual(['CNAME db.example.com']);
});
