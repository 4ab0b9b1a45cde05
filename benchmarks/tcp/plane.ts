// The data plane's TCP server in front of one target: node plane.ts handle|net TARGET_PORT
import { createTargetCounters, openTransport, TCP_OPTIONS, TcpServer } from '@rollcall/dataplane';
import { systemClock } from '@rollcall/runtime';

const [wanted, targetPort] = process.argv.slice(2);
const io = wanted === 'net' ? 'net' : 'auto';
const transport = await openTransport({ io, keepAliveMs: 60_000 }, systemClock);
if (transport.name !== wanted) throw new Error(`this Node.js offers ${transport.name}`);
const target = {
  id: 'target',
  host: '127.0.0.1',
  port: Number(targetPort),
  counters: createTargetCounters(),
  inFlight: 0,
  begin() {
    this.inFlight++;
  },
  end() {
    this.inFlight--;
  },
};
const snapshot = {
  pick: (tried: readonly unknown[]) => (tried.length === 0 ? target : undefined),
  explainNone: () => ({ code: 'none', detail: 'it was tried' }),
};
const service = {
  group: { name: 'target', snapshot: () => snapshot },
  observer: { onConnected() {}, onConnectFailed() {}, onRefused() {} },
};
const server = new TcpServer(TCP_OPTIONS, { transport, clock: systemClock });
const { address } = await server.listen({ host: '127.0.0.1', port: 0 }, { service });
console.log(JSON.stringify({ port: address.port, msg: 'listening' }));
process.on('SIGTERM', () => process.exit(0));
