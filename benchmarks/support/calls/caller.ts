// A process that makes calls in one way, on request: WAYS_MODULE NAME REGISTRY_URL PORT...
import type { Ways } from './way.ts';

/**
 * A request to make calls for `ms`, with `inFlight` concurrent ones. The process replies
 * with the number of answered calls.
 */
export interface CallOrder {
  readonly ms: number;
  readonly inFlight: number;
}

const [module = '', name = '', registryUrl = '', ...ports] = process.argv.slice(2);
const { WAYS } = (await import(module)) as { readonly WAYS: Ways };
const way = await WAYS[name]!({ registryUrl, backends: ports.map(Number) });

let isRunning = false;
let underWay = 0;
let calls = 0;
let onIdle = () => {};

function call(): void {
  underWay++;
  way.call(answered);
}

function answered(): void {
  calls++;
  underWay--;
  if (isRunning) call();
  else if (underWay === 0) onIdle();
}

async function run({ ms, inFlight }: CallOrder): Promise<number> {
  const idle = new Promise<void>((resolve) => (onIdle = resolve));
  calls = 0;
  isRunning = true;
  for (let i = 0; i < inFlight; i++) call();
  setTimeout(() => (isRunning = false), ms);
  await idle;
  return calls;
}

process.on('message', (order: CallOrder) => {
  void run(order).then((count) => process.send!(count));
});
process.on('disconnect', () => {
  void way.close().then(() => process.exit());
});
process.send!('ready');
