// How many queries does one core answer, compared with knot and a DNS library for Node.js?
//
// Budgets: >= 0.4x knot through the public dgram API, >= 10x dns2, by the server's processor time per query: the load
// generator (dnsperf) has the other core to itself, but knot may be faster than it. The test asks in turn, over UDP,
// for 100 names of implicit services with 3 addresses each. The DNS server is the real program, with a registry. knot
// and dnsperf are optional: `apt-get install knot dnsperf`.
import { endOnSignals } from '../support/ending.ts';
import { sayMachine, versionOf } from '../support/machine.ts';
import { CORE, pinProcess } from '../support/placement.ts';
import { type Samples, printRounds, ratioOf, verdict } from '../support/rounds.ts';
import { short } from '../support/statistics.ts';
import { say } from '../support/table.ts';
import { askedNames, writeQueries } from './names.ts';
import { type NameServer, startDns2, startKnot, startRollcall } from './name-servers.ts';
import { perfSample } from './perf.ts';

const ROUNDS = 5;
const SECONDS = 2;

endOnSignals();
pinProcess(process.pid, CORE.rest);
if (versionOf('dnsperf', ['-h']) === undefined && versionOf('dnsperf', ['-H']) === undefined) {
  say('dnsperf is not installed here: nothing to measure with.');
  process.exit(0);
}
const names = askedNames();
const queries = await writeQueries(names);
const started = [
  await startRollcall(names),
  await startKnot(names),
  await startDns2('dns2-before', names),
  await startDns2('dns2', names),
];
const servers = started.filter((server) => server !== undefined);
sayMachine(servers.map(({ version }) => version));

const samples: Samples = new Map(servers.map(({ name }) => [name, []]));
for (const server of servers) await perfSample(server, queries, SECONDS);
for (let round = 0; round < ROUNDS; round++) {
  for (const server of servers) {
    samples.get(server.name)!.push(await perfSample(server, queries, SECONDS));
  }
}
printRounds(samples, 'query');
compare('knot', 0.4);
compare('dns2-before', 10);
compare('dns2', 10);
for (const server of servers) await server.close();

function compare(other: NameServer['name'], budget: number): void {
  const [ours, theirs] = [samples.get('rollcall-dns')!, samples.get(other)];
  if (theirs === undefined) return say(`${other} is not installed here: no comparison with it.`);
  const { cpu, perSecond } = ratioOf(ours, theirs);
  verdict(`of ${other}, by processor time`, cpu, `>= ${budget}`, cpu >= budget);
  say(`        of ${other}, by rate, whoever else was on the cores: ${short(perSecond)}`);
}
