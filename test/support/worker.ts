// An instance that reports its actions: one happening of a history per JSON line on stdout, with the machine's
// monotonic time, which all processes share.
import { subscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { writeSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Rollcall } from '@rollcall/client-sdk';
import type { HistoryEvent } from '@rollcall/testkit';

const { env } = process;
const instance = env['WORKER_ID'] ?? '';
const service = env['WORKER_SERVICE'] ?? 'work';
const ttlMs = Number(env['WORKER_TTL_MS'] ?? 3_000);
const host = env['WORKER_HOST'] ?? '127.0.0.1';
const me = `${instance}-${process.pid}`;
const nowMs = () => Number(process.hrtime.bigint()) / 1e6;
const tell = (happening: HistoryEvent) => writeSync(1, `${JSON.stringify(happening)}\n`);

let underWay = 0;
const isBusy = () => underWay > 0;
const server = createServer((request, response) => {
  underWay++;
  response.once('close', () => underWay--);
  request.resume();
  const [, verb, serial] = (request.url ?? '').split('/');
  if (verb === 'do' && serial !== undefined)
    tell({ kind: 'executed', instance, serial, atMs: nowMs() });
  response.setHeader('content-type', 'text/plain').end(`hello from ${instance}\n`);
});
await once(server.listen(Number(env['WORKER_PORT'] ?? 0), host), 'listening');
const { port } = server.address() as AddressInfo;

/** When the renewal whose answer comes next was first sent. */
let askedMs: number | undefined;
subscribe('undici:request:create', (message) => {
  const { request } = message as { request: { path: string } };
  if (request.path.startsWith('/v1/leases/renew')) askedMs ??= nowMs();
});

let leases = 1;
let lostMs = nowMs();
const lease = (
  what: Extract<HistoryEvent, { kind: 'lease' }>['what'],
  invokedMs: number,
): HistoryEvent => ({
  kind: 'lease',
  what,
  instance,
  lease: `${me}-${leases}`,
  nonce: me,
  ttlMs,
  invokedMs,
  atMs: nowMs(),
});

tell({ kind: 'process', what: 'started', service, instance, process: me, atMs: nowMs() });
const rollcall = new Rollcall({ url: (env['WORKER_URLS'] ?? '').split(',') });
const registration = await rollcall.register({
  service,
  id: instance,
  port: Number(env['WORKER_SEEN_PORT'] ?? port),
  address: env['WORKER_ADDRESS'] ?? host,
  ttlMs,
});
tell(lease('granted', lostMs));
registration.on('renewed', () => {
  tell(lease('renewed', askedMs ?? nowMs()));
  askedMs = undefined;
});
registration.on('lost', (error) => {
  lostMs = nowMs();
  if (error.code !== 'lease_unknown') return;
  tell(lease('unknown', lostMs));
  leases++;
});
registration.on('reregistered', () => tell(lease('granted', lostMs)));
registration.on('superseded', () => {
  tell(lease('superseded', nowMs()));
  tell({ kind: 'process', what: 'left', service, instance, process: me, atMs: nowMs() });
  process.exit(3);
});
console.log(`${instance} is on the roll, on port ${port}`);

let leaving: Promise<void> | undefined;
process.on('SIGTERM', () => {
  leaving ??= leave();
});

async function leave(): Promise<void> {
  const whenIdle = async () => {
    while (isBusy()) await new Promise((resolve) => setTimeout(resolve, 10));
  };
  const beganMs = nowMs();
  await registration.drain({ settleMs: 200, whenIdle, idleTimeoutMs: 5_000 }).then(
    () => tell(lease('released', beganMs)),
    () => {},
  );
  tell({ kind: 'process', what: 'left', service, instance, process: me, atMs: nowMs() });
  await rollcall.close();
  server.close();
  server.closeAllConnections();
}
