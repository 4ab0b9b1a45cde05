// The data plane's HTTP server over TLS in front of one target: node plane.ts handle|net CERT KEY TARGET_PORT
import { readFileSync } from 'node:fs';
import {
  createTargetCounters,
  HTTP_LIMITS,
  HTTP_TIMEOUTS,
  HttpServer,
  openTlsIo,
  openTransport,
  TlsAcceptor,
} from '@rollcall/dataplane';
import { systemClock } from '@rollcall/runtime';

const [wanted, cert = '', key = '', targetPort] = process.argv.slice(2);
const io = wanted === 'net' ? 'net' : 'auto';
const transport = await openTransport({ io }, systemClock);
const { name, create } = await openTlsIo(io, systemClock);
if (name !== wanted) throw new Error(`this Node.js offers ${name}`);
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
const forward = { kind: 'forward', group: { name: 'target', snapshot: () => snapshot } } as const;
const server = new HttpServer(
  {
    observer: { onResponse() {}, onTargetResult() {} },
    timeouts: HTTP_TIMEOUTS,
    limits: HTTP_LIMITS,
    trustForwarded: false,
  },
  { transport, clock: systemClock },
);
const fallback = { cert: readFileSync(cert), key: readFileSync(key) };
const acceptor = new TlsAcceptor(
  { fallback, find: () => undefined },
  {
    protocols: ['http/1.1'],
    clientCertificates: 'none',
    handshakeMs: HTTP_TIMEOUTS.handshakeMs,
    handshakeLimit: HTTP_LIMITS.handshakes,
  },
  { clock: systemClock, create },
);
const router = { route: () => forward };
const { address } = await server.listen({ host: '127.0.0.1', port: 0 }, router, {
  handshaker: acceptor,
});
console.log(JSON.stringify({ port: address.port, msg: 'listening' }));
process.on('SIGTERM', () => process.exit(0));
