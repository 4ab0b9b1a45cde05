import { ChaosProxy } from './chaos-proxy.ts';
import { redisCommand } from './redis-command.ts';
import { type RedisBinary, RedisProcess } from './redis-process.ts';
import { until } from './until.ts';

export interface RedisPairOptions {
  /** Further environment variables of the replica, such as a shifted clock. @default none */
  readonly replicaEnv?: NodeJS.ProcessEnv;
  /** Number of ways (proxies) to the pair; each can point to either server. @default 1 */
  readonly ways?: number;
}

/** A primary and its replica. A client sees the server behind its way as the primary. */
export class RedisPair {
  readonly primary: RedisProcess;
  readonly replica: RedisProcess;
  readonly ways: readonly ChaosProxy[];

  private constructor(primary: RedisProcess, replica: RedisProcess, ways: readonly ChaosProxy[]) {
    this.primary = primary;
    this.replica = replica;
    this.ways = ways;
  }

  /** Resolves when the replica is in sync. */
  static async start(
    binary: RedisBinary,
    { replicaEnv = {}, ways = 1 }: RedisPairOptions = {},
  ): Promise<RedisPair> {
    const primary = await RedisProcess.start(binary);
    const args = ['--replicaof', '127.0.0.1', `${primary.port}`];
    const replica = await RedisProcess.start(binary, { args, env: replicaEnv });
    const proxies = Array.from({ length: ways }, () => ChaosProxy.start(primary.port));
    const pair = new RedisPair(primary, replica, await Promise.all(proxies));
    await until(async () =>
      (await redisCommand(replica.port, 'INFO', 'replication')).includes('master_link_status:up'),
    );
    return pair;
  }

  /** The store URL of a way. */
  url(way = 0): string {
    return `redis://127.0.0.1:${this.ways[way]?.port ?? 0}`;
  }

  /** Resolves when the replica has all data of the primary. */
  async inStep(): Promise<void> {
    const offsetOf = async (port: number, field: string) =>
      new RegExp(`${field}:(\\d+)`).exec(await redisCommand(port, 'INFO', 'replication'))?.[1];
    await until(
      async () =>
        (await offsetOf(this.primary.port, 'master_repl_offset')) ===
        (await offsetOf(this.replica.port, 'slave_repl_offset')),
      { what: 'a replica in step' },
    );
  }

  /**
   * Separates the replica: from now on it gets no more data and accepts writes, so a failover
   * loses what the primary accepts.
   */
  async part(): Promise<void> {
    await redisCommand(this.replica.port, 'REPLICAOF', 'NO', 'ONE');
  }

  /** Points all ways to the former replica and breaks every connection to the primary. */
  failOver(): void {
    for (const way of this.ways) this.point(way, this.replica);
  }

  /** Points one way to that server. */
  point(way: ChaosProxy, server: RedisProcess): void {
    way.point(server.port);
    way.cut();
  }

  async close(): Promise<void> {
    await Promise.all(this.ways.map((way) => way.close()));
    await Promise.all([this.primary.close(), this.replica.close()]);
  }
}
