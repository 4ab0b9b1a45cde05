import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './port.ts';
import { TestProcess } from './process.ts';
import { redisCommand } from './redis-command.ts';
import { type RedisBinary, RedisProcess } from './redis-process.ts';
import { until } from './until.ts';

const DOWN_AFTER_MS = 500;

/** A primary, a replica and three Sentinels that watch them, on loopback. */
export class RedisSentinel {
  /** The primary's name in the Sentinels' configuration. */
  readonly master = 'roll';
  readonly #servers: readonly RedisProcess[];
  readonly #sentinels: readonly { readonly port: number; readonly process: TestProcess }[];
  readonly #dir: string;

  private constructor(
    servers: readonly RedisProcess[],
    sentinels: readonly { readonly port: number; readonly process: TestProcess }[],
    dir: string,
  ) {
    this.#servers = servers;
    this.#sentinels = sentinels;
    this.#dir = dir;
  }

  /** Resolves when the replica is in sync and the Sentinels know it and each other. */
  static async start(binary: RedisBinary): Promise<RedisSentinel> {
    const primary = await RedisProcess.start(binary);
    const args = ['--replicaof', '127.0.0.1', String(primary.port)];
    const replica = await RedisProcess.start(binary, { args });
    const dir = await mkdtemp(join(tmpdir(), 'testkit-sentinel-'));
    const sentinels = await Promise.all(
      [1, 2, 3].map((n) => startSentinel(binary, join(dir, `${n}.conf`), primary.port)),
    );
    const started = new RedisSentinel([primary, replica], sentinels, dir);
    await until(() => started.#isSettled(), { withinMs: 30_000, everyMs: 100 });
    return started;
  }

  /** `host:port` of every Sentinel, separated by commas. */
  get hosts(): string {
    return this.#sentinels.map(({ port }) => `127.0.0.1:${port}`).join(',');
  }

  /** The server that the Sentinels name as the primary. */
  async primary(): Promise<RedisProcess> {
    const [sentinel] = this.#sentinels;
    const words = ['SENTINEL', 'GET-MASTER-ADDR-BY-NAME', this.master];
    const reply = await redisCommand(sentinel?.port ?? 0, ...words);
    const found = this.#servers.find(({ port }) => reply.includes(`\r\n${port}\r\n`));
    if (found === undefined) throw new Error(`the Sentinels name nobody known: ${reply}`);
    return found;
  }

  /** Kills the primary; resolves when another server has become the primary. */
  async failover(): Promise<RedisProcess> {
    const before = await this.primary();
    await before.down();
    return until(
      async () => {
        const now = await this.primary();
        if (now === before) return undefined;
        const role = await redisCommand(now.port, 'ROLE');
        return role.includes('master') ? now : undefined;
      },
      { withinMs: 30_000, everyMs: 50, what: 'a failover' },
    );
  }

  async close(): Promise<void> {
    await Promise.all(this.#sentinels.map(({ process: own }) => own.stop('SIGKILL')));
    await Promise.all(this.#servers.map((server) => server.close()));
    await rm(this.#dir, { recursive: true, force: true });
  }

  async #isSettled(): Promise<boolean> {
    const [primary] = this.#servers;
    const replication = await redisCommand(primary?.port ?? 0, 'INFO', 'replication');
    const views = await Promise.all(
      this.#sentinels.map(({ port }) => redisCommand(port, 'INFO', 'sentinel')),
    );
    return (
      /state=online/.test(replication) &&
      views.every((view) => /slaves=1,sentinels=3/.test(view) && /status=ok/.test(view))
    );
  }
}

async function startSentinel(binary: RedisBinary, file: string, primaryPort: number) {
  const port = await freePort();
  const lines = [
    `port ${port}`,
    'bind 127.0.0.1',
    `sentinel monitor roll 127.0.0.1 ${primaryPort} 2`,
    `sentinel down-after-milliseconds roll ${DOWN_AFTER_MS}`,
    'sentinel failover-timeout roll 3000',
  ];
  // Sentinels write their state into their configuration file.
  await writeFile(file, `${lines.join('\n')}\n`);
  const env = binary.libraryPath === undefined ? {} : { LD_LIBRARY_PATH: binary.libraryPath };
  const started = new TestProcess(binary.path, [file, '--sentinel'], { env });
  await started.printed(/\+monitor master/);
  return { port, process: started };
}
