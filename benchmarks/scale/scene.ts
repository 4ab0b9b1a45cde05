import { fileURLToPath } from 'node:url';
import { CORE } from '../support/placement.ts';
import type { RedisPeer } from '../support/redis.ts';
import { Worker } from '../support/worker.ts';
import { Server } from './server.ts';
import type { Settings } from './settings.ts';

/** Everything that runs: two servers with a Redis, and the load generators. */
export interface Scene {
  readonly settings: Settings;
  readonly redis: { readonly url: string; readonly port: number; readonly pid: number };
  readonly servers: readonly Server[];
  /** Registers and renews. */
  readonly keepers: Worker;
  /** Watches, and makes changes. */
  readonly watching: Worker;
  /** Process ids by their names in tables. */
  readonly pids: Readonly<Record<string, readonly number[]>>;
}

const fileOf = (name: string) => fileURLToPath(new URL(name, import.meta.url));

export async function startScene(settings: Settings, { url, pid }: RedisPeer): Promise<Scene> {
  const servers = [await Server.start('registry 1', url), await Server.start('registry 2', url)];
  const args = [JSON.stringify(settings), ...servers.map(({ port }) => String(port))];
  const keepers = await Worker.start(CORE.rest, fileOf('keepers.ts'), args);
  const watching = await Worker.start(CORE.rest, fileOf('watching.ts'), args);
  const pids = {
    ...Object.fromEntries(servers.map((server) => [server.name, [server.pid]])),
    Redis: [pid],
    generator: [process.pid, keepers.pid, watching.pid],
  };
  const redis = { url, pid, port: Number(new URL(url).port) };
  return { settings, redis, servers, keepers, watching, pids };
}

export async function endScene({ servers, keepers, watching }: Scene): Promise<void> {
  await Promise.all([keepers.stop(), watching.stop()]);
  for (const server of servers) await server.stop();
}
