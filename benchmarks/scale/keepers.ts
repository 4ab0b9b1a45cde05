// Fills the roll and keeps it alive, as a worker of the benchmark: node keepers.ts SETTINGS PORT...
import { Beats, Keeper, takeFigures } from './keeper.ts';
import type { Settings } from './settings.ts';

/** Number of clients that register concurrently. */
const AT_ONCE = 64;

const [text = '{}', ...ports] = process.argv.slice(2);
const settings = JSON.parse(text) as Settings;
const beats = new Beats();
const keepers = makeKeepers();

function makeKeepers(): Keeper[] {
  const { instances, services, singles, 'per-call': perCall, 'ttl-ms': ttlMs } = settings;
  const single = Math.round((instances * singles) / 100);
  const made: Keeper[] = [];
  for (let from = 0; from < instances;) {
    const count = from < single ? 1 : Math.min(perCall, instances - from);
    const number = made.length;
    const port = Number(ports[number % ports.length]);
    const own = Array.from({ length: count }, (_, i) => from + i);
    made.push(new Keeper({ port, number, instances: own, services, ttlMs, beats }));
    from += count;
  }
  return made;
}

/** Registers everything; returns the result. */
async function fill(): Promise<object> {
  const startMs = performance.now();
  const left = keepers.values();
  const registerSome = async () => {
    for (const keeper of left) await keeper.register();
  };
  await Promise.all(Array.from({ length: AT_ONCE }, registerSome));
  return { ms: performance.now() - startMs, ...beats.registered };
}

process.on('message', ({ ask }: { ask: 'fill' | 'figures' }) => {
  if (ask === 'figures') process.send?.(takeFigures(beats));
  else void fill().then((reply) => process.send?.(reply));
});
process.once('disconnect', () => process.exit(0));
process.send?.({ clients: keepers.length });
