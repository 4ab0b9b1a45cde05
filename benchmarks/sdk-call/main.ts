// What does a call through the SDK cost, compared with three raw undici pools used in turn?
//
// Budget: at least 0.9 times the calls per second of the pools through `dispatch`, for the SDK through its interceptor
// and `dispatch`, P2C over three instances. `request` creates a promise and a stream for each response, in undici as in
// the SDK: it is compared with `request` of the pools. Each way runs in its own process on core 0, in turn with the
// others; backends (raw sockets, 1 KB) and registry are on core 1.
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { endOnSignals } from '../support/ending.ts';
import { HttpLoad, requestBytes } from '../support/http-load.ts';
import { sayMachine } from '../support/machine.ts';
import { CORE, pinProcess, startPinnedNode } from '../support/placement.ts';
import { startRegistry } from '../support/registry.ts';
import { type Contestant, printRounds, ratioOf, runRounds, verdict } from '../support/rounds.ts';
import { Worker } from '../support/worker.ts';
import type { CallOrder } from './caller.ts';

const IN_FLIGHT = 64;
const ROUNDS = { rounds: 8, sampleMs: 1_000 };
const BUDGET = 0.9;
const PAIRS = [
  ['SDK, interceptor, dispatch', 'pools, dispatch'],
  ['SDK, service.request', 'pools, request'],
  ['SDK, interceptor, request', 'pools, request'],
] as const;

const here = import.meta.dirname;
endOnSignals();
pinProcess(process.pid, CORE.rest);
const { version } = createRequire(import.meta.url)('undici/package.json') as { version: string };
sayMachine([`undici ${version}`]);

const backend = startPinnedNode(CORE.rest, join(here, 'backend.ts'));
const [, list = ''] = await backend.printed(/ports (.*)\n/);
const backends = list.split(' ').map(Number);
const registry = await startRegistry({ store: 'memory', core: CORE.rest });
await enroll(registry.port, backends);

const workers: Worker[] = [];
const contestants: Contestant[] = [];
for (const name of new Set(PAIRS.flat())) {
  const args = [name, registry.url, ...backends.map(String)];
  const worker = await Worker.start(CORE.tested, join(here, 'caller.ts'), args);
  workers.push(worker);
  contestants.push({
    name,
    pid: worker.pid,
    others: { backend: backend.pid },
    run: (ms) => worker.ask<number>({ ms, inFlight: IN_FLIGHT } satisfies CallOrder),
  });
}

const samples = await runRounds(contestants, ROUNDS);
printRounds(samples, 'call');
const samplesOf = (name: string) => samples.get(name)!;
for (const [ours, theirs] of PAIRS) {
  const { perSecond, cpu } = ratioOf(samplesOf(ours), samplesOf(theirs));
  verdict(`${ours} against ${theirs}, by rate`, perSecond, `>= ${BUDGET}`, perSecond >= BUDGET);
  verdict(`${ours} against ${theirs}, by CPU`, cpu, `>= ${BUDGET}`, cpu >= BUDGET);
}

await Promise.all(workers.map((worker) => worker.stop()));
await Promise.all([registry.process.stop(), backend.stop()]);

async function enroll(port: number, ports: readonly number[]): Promise<void> {
  const load = new HttpLoad({ port, connections: 1, status: 200 });
  await load.open();
  let at = 0;
  await load.runCount(ports.length, () => {
    const http = ports[at++];
    const path = `/v1/namespaces/default/services/orders/instances/i${at}`;
    return requestBytes('PUT', path, { ports: { http }, ttlMs: 300_000 });
  });
  load.close();
}
