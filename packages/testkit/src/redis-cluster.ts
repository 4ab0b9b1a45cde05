import { redisCommand } from './redis-command.ts';
import { type RedisBinary, RedisProcess } from './redis-process.ts';
import { until } from './until.ts';

const SLOTS = 16_384;

/** A Redis Cluster of primaries without replicas, on loopback. */
export class RedisCluster {
  readonly nodes: readonly RedisProcess[];

  private constructor(nodes: readonly RedisProcess[]) {
    this.nodes = nodes;
  }

  /** Starts a cluster with evenly distributed slots; resolves when every node reports it as complete. */
  static async start(binary: RedisBinary, size = 3): Promise<RedisCluster> {
    const args = ['--cluster-enabled', 'yes', '--cluster-node-timeout', '1000'];
    const starting = Array.from({ length: size }, () => RedisProcess.start(binary, { args }));
    const cluster = new RedisCluster(await Promise.all(starting));
    const [first, ...others] = cluster.nodes;
    for (const [i, { port }] of cluster.nodes.entries()) {
      const from = Math.floor((SLOTS * i) / size);
      const to = Math.floor((SLOTS * (i + 1)) / size) - 1;
      await redisCommand(port, 'CLUSTER', 'ADDSLOTSRANGE', String(from), String(to));
    }
    for (const { port } of others) {
      await redisCommand(first?.port ?? 0, 'CLUSTER', 'MEET', '127.0.0.1', String(port));
    }
    await until(
      async () => {
        const infos = await Promise.all(
          cluster.nodes.map(({ port }) => redisCommand(port, 'CLUSTER', 'INFO')),
        );
        return infos.every(
          (info) =>
            info.includes('cluster_state:ok') && info.includes(`cluster_known_nodes:${size}`),
        );
      },
      { withinMs: 30_000, everyMs: 50, what: 'a whole Redis Cluster' },
    );
    return cluster;
  }

  /** `host:port` of every node, separated by commas. */
  get hosts(): string {
    return this.nodes.map(({ port }) => `127.0.0.1:${port}`).join(',');
  }

  async close(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.close()));
  }
}
