import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './port.ts';
import { TestProcess } from './process.ts';
import { redisCommand } from './redis-command.ts';
import { waitForRedis } from './wait-for-redis.ts';

/** A Redis server binary of this machine. */
export interface RedisBinary {
  readonly path: string;
  /** For a binary that was unpacked and not installed. */
  readonly libraryPath?: string;
}

export interface RedisProcessOptions {
  /** Keeps an append-only file, synced at each write. @default false */
  readonly isDurable?: boolean;
  /** More arguments for the server. @default none */
  readonly args?: readonly string[];
  /** Further environment variables. @default none */
  readonly env?: NodeJS.ProcessEnv;
}

interface DownOptions {
  readonly signal?: NodeJS.Signals;
  readonly losesData?: boolean;
}

/** A Redis server for one test, which can stop, kill and restart it on the same port. */
export class RedisProcess {
  readonly #binary: RedisBinary;
  readonly #dir: string;
  readonly #isDurable: boolean;
  readonly #args: readonly string[];
  readonly #env: NodeJS.ProcessEnv;
  #process: TestProcess | undefined;
  readonly port: number;

  private constructor(
    binary: RedisBinary,
    place: { readonly dir: string; readonly port: number },
    { isDurable = false, args = [], env = {} }: RedisProcessOptions,
  ) {
    this.#binary = binary;
    this.#dir = place.dir;
    this.port = place.port;
    this.#isDurable = isDurable;
    this.#args = args;
    this.#env = env;
  }

  /** Starts a server on a free port. */
  static async start(
    binary: RedisBinary,
    options: RedisProcessOptions = {},
  ): Promise<RedisProcess> {
    const dir = await mkdtemp(join(tmpdir(), 'testkit-redis-'));
    // Another process can take the free port before the server binds it, so try again.
    for (let attempt = 1; ; attempt++) {
      const redis = new RedisProcess(binary, { dir, port: await freePort() }, options);
      try {
        await redis.up();
        return redis;
      } catch (error) {
        if (attempt < 3) continue;
        await rm(dir, { recursive: true, force: true });
        throw error;
      }
    }
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Starts it again, with the data in its folder, if any. */
  async up(): Promise<void> {
    const durability = this.#isDurable
      ? ['--appendonly', 'yes', '--appendfsync', 'always']
      : ['--appendonly', 'no'];
    const { path, libraryPath } = this.#binary;
    const started = new TestProcess(
      path,
      [
        '--port',
        `${this.port}`,
        '--bind',
        '127.0.0.1',
        '--save',
        '',
        '--dir',
        this.#dir,
        ...durability,
        ...this.#args,
      ],
      {
        env: {
          ...this.#env,
          ...(libraryPath === undefined ? {} : { LD_LIBRARY_PATH: libraryPath }),
        },
      },
    );
    this.#process = started;
    const exited = new Promise<never>((_, reject) => {
      started.child.once('error', reject);
      started.child.once('exit', () => reject(new Error(`${path} ended:\n${started.output}`)));
    });
    exited.catch(() => {});
    await Promise.race([waitForRedis(new URL(this.url), 10_000), exited]);
  }

  /** Ends it, by SIGKILL by default; `losesData` empties its folder. */
  async down({ signal = 'SIGKILL', losesData = false }: DownOptions = {}): Promise<void> {
    await this.#process?.stop(signal);
    if (!losesData) return;
    for (const name of await readdir(this.#dir)) {
      await rm(join(this.#dir, name), { recursive: true, force: true });
    }
  }

  /** Sends one command to it and returns the reply as text. Rejects when that is an error. */
  command(...words: readonly string[]): Promise<string> {
    return redisCommand(this.port, ...words);
  }

  /** Sends it a signal, such as SIGSTOP. */
  signal(signal: NodeJS.Signals): void {
    this.#process?.child.kill(signal);
  }

  /** Ends it permanently and removes its folder. */
  async close(): Promise<void> {
    await this.down();
    await rm(this.#dir, { recursive: true, force: true });
  }
}
