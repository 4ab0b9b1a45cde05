import { ChaosProxy } from './chaos-proxy.ts';
import { redisCommand } from './redis-command.ts';
import { type RedisBinary, RedisProcess } from './redis-process.ts';
import { until } from './until.ts';

export interface RedisPairOptions {
  /** More of the replica's environment, such as another time of day. @default none */
  readonly replicaEnv?: NodeJS.ProcessEnv;
  /** How many ways lead to the pair, each of which can be pointed at either server. @default 1 */
  readonly ways?: number;
}

/** A primary and its replica; whoever stands behind a way is the primary for who comes along it. */
export class RedisPair {
  readonly primary: RedisProcess;
  readonly replica: RedisProcess;
  readonly ways: readonly ChaosProxy[];

  private constructor(primary: RedisProcess, replica: RedisProcess, ways: readonly ChaosProxy[]) {
    this.primary = primary;
    this.replica = replica;
    this.ways = ways;
  }

  /** Resolves when the replica is in step. */
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

  /** The way to it as a store url. */
  url(way = 0): string {
    return `redis://127.0.0.1:${this.ways[way]?.port ?? 0}`;
  }

  /** Resolves when the replica has all that the primary has. */
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

  /** From now on the replica gets nothing more and takes writes: what the primary takes is lost in a failover. */
  async part(): Promise<void> {
    await redisCommand(this.replica.port, 'REPLICAOF', 'NO', 'ONE');
  }

  /** All ways lead to the former replica, and every connection to the primary is broken. */
  failOver(): void {
    for (const way of this.ways) this.point(way, this.replica);
  }

  /** One way leads to that server now. */
  point(way: ChaosProxy, server: RedisProcess): void {
    way.point(server.port);
    way.cut();
  }

  async close(): Promise<void> {
    await Promise.all(this.ways.map((way) => way.close()));
    await Promise.all([this.primary.close(), this.replica.close()]);
  }
}
