import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startNode, type TestProcess } from '@rollcall/testkit';

const MAIN = fileURLToPath(new URL('../../packages/registry-server/src/main.ts', import.meta.url));
const LOOK_MS = 10;

/** The relevant figures of a server's /metrics. */
export interface ServerCounts {
  readonly expired: number;
  readonly guarded: number;
  readonly refused: number;
  readonly parked: number;
  readonly dropped: number;
  /** Heap in use, including garbage that has not been collected yet, in MB. */
  readonly heapMb: number;
}

/** A registry server in its own process, unmodified: with default limits and on any free core. */
export class Server {
  readonly name: string;
  readonly port: number;
  /** Time from the start of the process until /readyz returns 200, in ms. */
  readonly readyMs: number;
  readonly #process: TestProcess;

  private constructor(name: string, started: TestProcess, { port = 0, readyMs = 0 }) {
    this.name = name;
    this.#process = started;
    this.port = port;
    this.readyMs = readyMs;
  }

  static async start(name: string, store: string): Promise<Server> {
    const startMs = performance.now();
    const flags = ['--port', '0', '--store', store, '--log-level', 'info'];
    const started = startNode(MAIN, flags);
    const [, url = ''] = await started.printed(/"url":"(http:[^"]+)"/);
    while (!(await fetch(`${url}/readyz`)).ok) await sleep(LOOK_MS);
    const readyMs = performance.now() - startMs;
    return new Server(name, started, { port: Number(new URL(url).port), readyMs });
  }

  get pid(): number {
    return this.#process.pid;
  }

  async counts(): Promise<ServerCounts> {
    const text = await (await fetch(`http://127.0.0.1:${this.port}/metrics`)).text();
    const sumOf = (metric: string) =>
      [...text.matchAll(new RegExp(`^${metric}(?:{.*})? (\\S+)$`, 'gm'))].reduce(
        (sum, [, value]) => sum + Number(value),
        0,
      );
    return {
      expired: sumOf('rollcall_expired_total'),
      guarded: sumOf('rollcall_guarded_total'),
      refused: sumOf('rollcall_refused_total'),
      parked: sumOf('rollcall_watch_parked_total'),
      dropped: sumOf('rollcall_watch_dropped_total'),
      heapMb: sumOf('nodejs_heap_size_used_bytes') / 1e6,
    };
  }

  async stop(): Promise<void> {
    await this.#process.stop();
  }
}
