// How soon does a change reach the last of 1,000 and 5,000 watchers, and a registration one, compared with etcd?
//
// Budgets: 30 ms to the last of 1,000 and 120 ms to the last of 5,000, the server's event loop never blocked above 20
// ms; a registration visible through Redis, at the median, sooner than etcd's put -> watch. A change is a PATCH of an
// instance; the time runs from writing the request to the change's last byte at the last watcher. The server is on core
// 0; the watchers (raw sockets in one process), the writer and Redis share core 1. etcd syncs its log at each write, so
// Redis is measured both without an append-only file and with one that is synced at each write.
import { fileURLToPath } from 'node:url';
import { endOnSignals } from '../support/ending.ts';
import { startEtcd } from '../support/etcd.ts';
import { sayMachine } from '../support/machine.ts';
import { CORE, pinProcess } from '../support/placement.ts';
import { startRedis } from '../support/redis.ts';
import { type RegistryProcess, startRegistry } from '../support/registry.ts';
import { verdict } from '../support/rounds.ts';
import { quantile } from '../support/statistics.ts';
import { printTable, say } from '../support/table.ts';
import { type FanOut, fanOut, quantiles } from './fan-out.ts';
import { etcdPath, type Path, registryPath, timesOf } from './visible.ts';

const PROBE = fileURLToPath(new URL('../support/loop-probe.ts', import.meta.url));
const FAN_OUTS = [
  { watchers: 1_000, changes: 100, budgetMs: 30 },
  { watchers: 5_000, changes: 40, budgetMs: 120 },
];
const BLOCK_BUDGET_MS = 20;
const VISIBLE = { rounds: 5, block: 200 };

endOnSignals();
pinProcess(process.pid, CORE.rest);
const etcd = await startEtcd();
const redis = await startRedis();
const durable = await startRedis({ isDurable: true });
sayMachine([redis?.version, etcd?.version]);
if (etcd === undefined) say('etcd is not installed here: no comparison with it.\n');

const stores = [
  { name: 'memory', url: 'memory' },
  { name: 'Redis', url: redis?.url },
  { name: 'Redis, synced', url: durable?.url },
];

await measureFanOut();
await measureVisible();
for (const peer of [redis, durable, etcd]) await peer?.close();

async function measureFanOut(): Promise<void> {
  const results: { name: string; result: FanOut; budgetMs: number }[] = [];
  for (const { name, url } of stores.slice(0, 2)) {
    if (url === undefined) continue;
    const server = await startRegistry({ store: url, nodeOptions: ['--import', PROBE] });
    for (const { watchers, changes, budgetMs } of FAN_OUTS)
      results.push({ name, budgetMs, result: await fanOut(server, watchers, changes) });
    await server.process.stop();
  }
  const rows = results.map(({ name, result }) => [
    name,
    String(result.watchers),
    quantiles(result.first),
    quantiles(result.last),
    quantiles(result.block),
    quantiles(result.busy),
    result.cpuMs.toFixed(1),
  ]);
  say('Fan-out, p50 / p99 / largest in ms:\n');
  printTable(
    ['store', 'watchers', 'first', 'last', 'loop blocked', 'by its own work', 'CPU ms/change'],
    rows,
  );
  for (const { name, result, budgetMs } of results) {
    const what = `${name}, ${result.watchers} watchers`;
    const p50 = quantile(result.last, 0.5);
    verdict(`${what}, p50 to the last, ms`, p50, `<= ${budgetMs}`, p50 <= budgetMs);
    for (const kind of ['block', 'busy'] as const) {
      const longest = Math.max(...result[kind]);
      const which = kind === 'block' ? 'longest block' : 'longest block of its own';
      verdict(
        `${what}, ${which}, ms`,
        longest,
        `<= ${BLOCK_BUDGET_MS}`,
        longest <= BLOCK_BUDGET_MS,
      );
    }
  }
  say();
}

async function measureVisible(): Promise<void> {
  const servers: RegistryProcess[] = [];
  const paths: Path[] = [];
  for (const { name, url } of stores) {
    if (url === undefined) continue;
    const server = await startRegistry({ store: url });
    servers.push(server);
    paths.push(await registryPath(`register, ${name}`, server.port));
  }
  if (etcd !== undefined) {
    paths.push(await etcdPath(etcd.port, 'gRPC'), await etcdPath(etcd.port, 'JSON'));
  }
  const times = await timesOf(paths, VISIBLE);
  say('From a write to one watching client, p50 / p99 / largest in ms:\n');
  const rows = [...times].map(([{ name }, taken]) => [
    name,
    [0.5, 0.99, 1].map((ratio) => quantile(taken, ratio).toFixed(2)).join(' / '),
  ]);
  printTable(['', 'visible'], rows);
  const p50Of = (name: string) => {
    const found = [...times].find(([path]) => path.name === name);
    return found && quantile(found[1], 0.5);
  };
  const theirs = Math.min(...[...times.keys()].slice(-2).map(({ name }) => p50Of(name)!));
  for (const name of ['register, Redis', 'register, Redis, synced']) {
    const ours = p50Of(name);
    if (ours === undefined || etcd === undefined) continue;
    verdict(`${name}, p50 against etcd's better one`, ours / theirs, '< 1', ours < theirs);
  }
  for (const path of paths) path.close();
  for (const server of servers) await server.process.stop();
}
