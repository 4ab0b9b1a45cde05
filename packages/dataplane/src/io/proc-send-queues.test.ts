import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, type Socket, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { ProcSendQueues } from './proc-send-queues.ts';
import { socketKey } from './socket-key.ts';
import type { SocketEnds } from './send-queues.ts';

const isLinux = process.platform === 'linux';

function endsOf(socket: Socket): SocketEnds {
  const { localAddress, localPort, remoteAddress, remotePort } = socket;
  return { localAddress, localPort, remoteAddress, remotePort } as SocketEnds;
}

/** A connection whose server reads nothing, by the addresses of the client's family. */
async function unread(listen: string, host: string) {
  const server = createServer({ pauseOnConnect: true }, (socket) => {
    onTestFinished(() => void socket.destroy());
  });
  server.listen(0, listen);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const client = connect(port, host);
  onTestFinished(() => {
    client.destroy();
    server.close();
  });
  const [[accepted]] = await Promise.all([once(server, 'connection'), once(client, 'connect')]);
  return { client, accepted: accepted as Socket };
}

test.runIf(isLinux).each([
  ['IPv4', '127.0.0.1', '127.0.0.1'],
  ['IPv6', '::1', '::1'],
  ['IPv4 on a socket for both families', '::', '127.0.0.1'],
])('tells what the peer has not taken: %s', async (_name, listen, host) => {
  const { client, accepted } = await unread(listen, host);
  const queues = new ProcSendQueues();
  expect(await queues.measure([endsOf(client), endsOf(accepted)])).toEqual([0, 0]);
  client.write(Buffer.alloc(50_000_000));
  const lengthsNow = () => queues.measure([endsOf(accepted), endsOf(client)]);
  await expect.poll(async () => (await lengthsNow())[1], { timeout: 30_000 }).toBeGreaterThan(0);
  expect((await lengthsNow())[0]).toBe(0);
  client.destroy();
});

test('what stands in no table is not known', async () => {
  const gone = { localAddress: '192.0.2.1', localPort: 1, remoteAddress: '192.0.2.2' };
  const connections = [
    { ...gone, remotePort: 2 },
    { ...gone, remoteAddress: '' },
  ] as SocketEnds[];
  expect(await new ProcSendQueues().measure(connections)).toEqual([-1, -1]);
  expect(await new ProcSendQueues(['/nowhere/tcp']).measure(connections)).toEqual([-1, -1]);
});

test('a table larger than one read is read whole', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'rollcall-queues-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const ends = { localAddress: '127.0.0.1', localPort: 80, remoteAddress: '10.1.2.3' };
  const rows = Array.from({ length: 5_000 }, (_, port) => {
    const key = socketKey({ ...ends, remotePort: port });
    return `${String(port).padStart(4)}: ${key} 01 0000${port.toString(16).toUpperCase().padStart(4, '0')}:00000000 00:00000000 0 0 0\n`;
  });
  await writeFile(join(folder, 'tcp'), `  sl  local_address rem_address\n${rows.join('')}`);
  const queues = new ProcSendQueues([join(folder, 'tcp')]);
  const asked = [4_999, 1, 2_500].map((remotePort) => ({ ...ends, remotePort }));
  expect(await queues.measure(asked)).toEqual([4_999, 1, 2_500]);
});
