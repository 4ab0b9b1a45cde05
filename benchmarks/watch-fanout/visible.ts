import { RollWriter } from './roll-writer.ts';
import { EtcdWatch } from './etcd-watch.ts';
import { Watchers } from './watchers.ts';

const SERVICE = 'stock';
const INSTANCE = 'stock-0';

/** One way of making a change visible to one watching client. */
export interface Path {
  readonly name: string;
  /** Writes once; returns the time from sending the write to its arrival, in ms. */
  write(): Promise<number>;
  close(): void;
}

/** Registers with a registry server; a watch of the service receives it. */
export async function registryPath(name: string, port: number): Promise<Path> {
  const writer = await RollWriter.open(port, SERVICE);
  const watchers = new Watchers(port, SERVICE);
  await writer.register(INSTANCE);
  await watchers.open(1);
  const left = watchers.nextChange();
  await Promise.all([writer.deregister(INSTANCE), left]);
  return {
    name,
    async write() {
      const arrival = watchers.nextChange();
      const startMs = performance.now();
      await Promise.all([writer.register(INSTANCE), arrival]);
      const { lastMs } = await arrival;
      const gone = watchers.nextChange();
      await Promise.all([writer.deregister(INSTANCE), gone]);
      return lastMs - startMs;
    },
    close() {
      watchers.close();
      writer.close();
    },
  };
}

/** Puts into etcd; a watch of the key receives it. */
export async function etcdPath(port: number, protocol: 'gRPC' | 'JSON'): Promise<Path> {
  const watch = await EtcdWatch.open(port);
  return {
    name: `etcd, put by ${protocol}`,
    async write() {
      const arrival = watch.nextChange();
      const startMs = performance.now();
      await Promise.all([protocol === 'gRPC' ? watch.putByGrpc() : watch.putByJson(), arrival]);
      return (await arrival) - startMs;
    },
    close: () => watch.close(),
  };
}

/** Writes per path before the measurement: freshly started servers are slow. */
const WARM_UP = 1_500;

export interface VisibleOptions {
  readonly rounds: number;
  /** Consecutive writes of a path per round: normally a server has its core to itself. */
  readonly block: number;
}

/** Times of each path, in ms: blocks of writes in turn, A B C A B C. */
export async function timesOf(
  paths: readonly Path[],
  { rounds, block }: VisibleOptions,
): Promise<Map<Path, number[]>> {
  const times = new Map(paths.map((path) => [path, [] as number[]]));
  for (const path of paths) for (let i = 0; i < WARM_UP; i++) await path.write();
  for (let round = 0; round < rounds; round++) {
    for (const path of paths) {
      for (let i = 0; i < block; i++) times.get(path)!.push(await path.write());
    }
  }
  return times;
}
