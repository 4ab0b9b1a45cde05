// What does it cost to carry TCP connections, compared with HAProxy in its tcp mode?
//
// Budgets: >= 0.7x HAProxy with connections kept alive, >= 0.55x with a new connection for each exchange, by
// processor time of the proxy: load and backend share the other core, and are slower than HAProxy. An exchange is a
// request of 64 bytes and an answer of 1 kB. The data plane runs alone, over both I/O implementations. HAProxy is
// optional: `apt-get install haproxy`.
import { endOnSignals } from '../support/ending.ts';
import { sayMachine } from '../support/machine.ts';
import { CORE, pinProcess } from '../support/placement.ts';
import { printRounds, ratioOf, runRounds, type Samples, verdict } from '../support/rounds.ts';
import { say } from '../support/table.ts';
import { exchangesKept, exchangesNew } from './exchanges.ts';
import { startBackend, startHaproxy, startPlane, type TcpProxy } from './proxies.ts';

const CONNECTIONS = 32;
const ROUNDS = 5;
const SAMPLE_MS = 1_500;

endOnSignals();
pinProcess(process.pid, CORE.rest);
const backend = await startBackend();
const started = [
  await startPlane('handle', backend.port),
  await startPlane('net', backend.port),
  await startHaproxy(backend.port),
];
const proxies = started.filter((proxy) => proxy !== undefined);
sayMachine(proxies.map(({ version }) => version));

await measure('kept alive', exchangesKept, 0.7);
say();
await measure('new connection each', exchangesNew, 0.55);
for (const proxy of [...proxies, backend]) await proxy.close();

async function measure(
  title: string,
  exchange: (port: number, connections: number, ms: number) => Promise<number>,
  budget: number,
): Promise<void> {
  say(`${title}, ${CONNECTIONS} at a time`);
  const contestants = proxies.map(({ name, pid, port }) => {
    const others = { backend: backend.pid };
    return { name, pid, others, run: (ms: number) => exchange(port, CONNECTIONS, ms) };
  });
  const samples = await runRounds(contestants, { rounds: ROUNDS, sampleMs: SAMPLE_MS });
  printRounds(samples, 'exchange');
  for (const name of ['handle', 'net'] as const) compare(samples, name, budget);
}

function compare(samples: Samples, name: TcpProxy['name'], budget: number): void {
  const [ours, theirs] = [samples.get(name)!, samples.get('haproxy')];
  if (theirs === undefined) return say('HAProxy is not installed here: no comparison with it.');
  const { cpu } = ratioOf(ours, theirs);
  verdict(`${name}, of HAProxy, by processor time`, cpu, `>= ${budget}`, cpu >= budget);
}
