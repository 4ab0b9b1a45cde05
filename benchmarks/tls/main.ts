// What does it cost to forward HTTP over TLS, compared with nginx?
//
// Budget: >= 0.7x nginx over kept connections, by processor time of the proxy: load and targets share the other core, and
// are slower than nginx. A full handshake is shown without a budget. An exchange is a GET and an answer of 1 kB. The data plane runs alone, without picking, log and
// metrics, over both ways of reading and writing TLS. Both sides choose the suite alike (TLS 1.3, AES-256-GCM), and the
// certificate has a key on P-256. nginx is optional: `apt-get install nginx`.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { endOnSignals } from '../support/ending.ts';
import { sayMachine } from '../support/machine.ts';
import { CORE, pinProcess } from '../support/placement.ts';
import { printRounds, ratioOf, runRounds, type Samples, verdict } from '../support/rounds.ts';
import { say } from '../support/table.ts';
import { type Exchanges, exchangesKept, exchangesNew } from './exchanges.ts';
import { startNginx, startPlane, startTarget, type TlsProxy, writeCertificate } from './proxies.ts';

const CONNECTIONS = 32;
const ROUNDS = 7;
const SAMPLE_MS = 1_500;
const BUDGET = 0.7;

endOnSignals();
pinProcess(process.pid, CORE.rest);
const folder = mkdtempSync(join(tmpdir(), 'bench-tls-'));
const certificate = writeCertificate(folder);
const target = await startTarget();
const started = [
  await startPlane('handle', certificate, target.port),
  await startPlane('net', certificate, target.port),
  await startNginx(folder, certificate, target.port),
];
const proxies = started.filter((proxy) => proxy !== undefined);
sayMachine(proxies.map(({ version }) => version));

const kept = await measure('kept alive', exchangesKept);
for (const name of ['handle', 'net'] as const) compare(kept, name);
say();
await measure('a full handshake each', exchangesNew);
for (const proxy of [...proxies, target]) await proxy.close();
rmSync(folder, { recursive: true });

async function measure(title: string, exchanges: Exchanges): Promise<Samples> {
  say(`${title}, ${CONNECTIONS} at a time`);
  const contestants = proxies.map(({ name, pid, port }) => {
    const others = { target: target.pid };
    return { name, pid, others, run: (ms: number) => exchanges(port, CONNECTIONS, ms) };
  });
  const samples = await runRounds(contestants, { rounds: ROUNDS, sampleMs: SAMPLE_MS });
  printRounds(samples, 'exchange');
  return samples;
}

function compare(samples: Samples, name: TlsProxy['name']): void {
  const [ours, theirs] = [samples.get(name)!, samples.get('nginx')];
  if (theirs === undefined) return say('nginx is not installed here: no comparison with it.');
  const { cpu } = ratioOf(ours, theirs);
  verdict(`${name}, of nginx, by processor time`, cpu, `>= ${BUDGET}`, cpu >= BUDGET);
}
