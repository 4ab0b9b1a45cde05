import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort, startNode, TestAuthority, type TestProcess, until } from '@rollcall/testkit';
import { Stack } from '../support/stack.ts';
import { call, type Tally } from './callers.ts';

const BALANCER = fileURLToPath(new URL('../../packages/lb/src/main.ts', import.meta.url));
const INSTANCE = fileURLToPath(new URL('instance.ts', import.meta.url));
const INSTANCES = 4;

export interface EdgeOptions {
  readonly requests: number;
  readonly leastMs: number;
  readonly workers: number;
  /** Callers of each of eight kinds. */
  readonly callers: number;
  /** Whether workers are killed. Then only calls are made that may be repeated. */
  readonly kills: boolean;
  readonly print: (line: string) => void;
}

export interface EdgeReport extends Tally {
  readonly troubles: Readonly<Record<string, number>>;
  /** Of the balancer with all its processes: after a minute, and at the end, in MB. */
  readonly memory: readonly number[];
}

/** A balancer at the edge with everything that happens to one, under load over http and https. */
export class Edge {
  readonly #options: EdgeOptions;
  readonly #stack = new Stack();
  readonly #folder = mkdtempSync(join(tmpdir(), 'edge-'));
  readonly #authority = new TestAuthority();
  readonly #tally: Tally = { answered: 0, repeated: 0, failed: [] };
  readonly #troubles: Record<string, number> = {};
  readonly #over = new AbortController();
  readonly #instances: TestProcess[] = [];
  #balancer!: TestProcess;
  #registryUrl = '';
  #ports = { http: 0, https: 0, admin: 0 };
  #changes = 0;

  constructor(options: EdgeOptions) {
    this.#options = options;
  }

  async run(): Promise<EdgeReport> {
    try {
      await this.#start();
      const work = [...this.#callers(), ...this.#troubling()];
      const memory = await this.#watch();
      this.#over.abort();
      await Promise.all(work);
      return { ...this.#tally, troubles: this.#troubles, memory };
    } finally {
      this.#over.abort();
      await Promise.all(this.#instances.map((one) => one.stop('SIGKILL')));
      await this.#balancer?.stop('SIGTERM');
      await this.#stack.close();
      rmSync(this.#folder, { recursive: true });
    }
  }

  async #start(): Promise<void> {
    this.#registryUrl = (await this.#stack.registry()).url;
    this.#ports = { http: await freePort(), https: await freePort(), admin: await freePort() };
    this.#issue();
    this.#configure();
    for (let i = 0; i < INSTANCES; i++) await this.#addInstance();
    this.#balancer = startNode(BALANCER, ['--config', this.#path('lb.yaml')]);
    await this.#balancer.printed(/"msg":"listening"/);
  }

  #path(name: string): string {
    return join(this.#folder, name);
  }

  #replace(name: string, text: string): void {
    writeFileSync(this.#path(`${name}.next`), text);
    renameSync(this.#path(`${name}.next`), this.#path(name));
  }

  #issue(): void {
    const { cert, key } = this.#authority.issue({ names: ['a.test'] });
    this.#replace('a.pem', cert);
    this.#replace('a.key', key);
  }

  /** Each time another one: rules, limits, a listener that comes and goes, checks, the policy. */
  #configure(): void {
    const isOdd = this.#changes++ % 2 === 1;
    const { http, https, admin } = this.#ports;
    const target = 'default: { targetGroup: orders }';
    const tls = `tls: { certificates: [{ cert: ${this.#path('a.pem')}, key: ${this.#path('a.key')} }] }`;
    this.#replace(
      'lb.yaml',
      `registry: { url: ${this.#registryUrl} }
listeners:
  - { name: plain, port: ${http}, rules: [{ path: /old, fixedResponse: { status: ${isOdd ? 410 : 404} } }], ${target} }
  - { name: web, port: ${https}, protocol: https, ${tls}, ${target} }
${isOdd ? `  - { name: more, port: 0, ${target} }` : ''}
targetGroups:
  orders: { service: orders, policy: ${isOdd ? 'p2c' : 'round-robin'}, healthCheck: { intervalMs: ${isOdd ? 500 : 1_000} } }
admin: { port: ${admin} }
accessLog: ${this.#path('access.log')}
limits: { headBytes: ${isOdd ? 65_536 : 32_768} }
workers: ${this.#options.workers}
`,
    );
  }

  #callers(): Promise<void>[] {
    const { http, https } = this.#ports;
    const ca = this.#authority.cert;
    const methods = this.#options.kills ? (['GET'] as const) : (['GET', 'POST'] as const);
    return [`http://127.0.0.1:${http}/`, `https://127.0.0.1:${https}/`].flatMap((url) =>
      [true, false].flatMap((keepsAlive) =>
        methods.flatMap((method) =>
          Array.from({ length: this.#options.callers }, () =>
            call({ url, ca, method, keepsAlive }, this.#tally, this.#over.signal),
          ),
        ),
      ),
    );
  }

  #troubling(): Promise<void>[] {
    const troubles = [
      this.#every(1_000, 'reloads', () => this.#reload()),
      this.#every(7_000, 'certificates', () => this.#issue()),
      this.#every(3_000, 'instances', () => this.#rollInstance()),
      this.#every(45_000, 'renewals', () => this.#renew()),
    ];
    return this.#options.kills
      ? [...troubles, this.#every(20_000, 'killed workers', () => this.#killWorker())]
      : troubles;
  }

  /** Again and again, each time after a pause. */
  async #every(pauseMs: number, name: string, act: () => unknown): Promise<void> {
    const { signal } = this.#over;
    while (!signal.aborted) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, pauseMs);
        signal.addEventListener('abort', () => {
          clearTimeout(timer);
          resolve();
        });
      });
      if (signal.aborted) return;
      await act();
      this.#troubles[name] = (this.#troubles[name] ?? 0) + 1;
    }
  }

  #reload(): void {
    this.#configure();
    this.#balancer.child.kill('SIGHUP');
  }

  async #renew(): Promise<void> {
    const before = await this.#pids();
    this.#balancer.child.kill('SIGUSR2');
    const isNew = async () => {
      const pids = await this.#pids().catch(() => []);
      return pids.length > 0 && pids.every((pid) => !before.includes(pid));
    };
    await until(isNew, { withinMs: 60_000, what: 'a new balancer' });
  }

  async #killWorker(): Promise<void> {
    const [pid] = await this.#pids().catch(() => []);
    if (pid !== undefined) process.kill(pid, 'SIGKILL');
  }

  async #pids(): Promise<readonly number[]> {
    const reply = await fetch(`http://127.0.0.1:${this.#ports.admin}/readyz`);
    return ((await reply.json()) as { workers: { pids: number[] } }).workers.pids;
  }

  async #addInstance(): Promise<void> {
    const id = `orders-${this.#instances.length}-${Date.now()}`;
    const instance = startNode(INSTANCE, [this.#registryUrl, id]);
    await instance.printed(/up\n/);
    this.#instances.push(instance);
  }

  async #rollInstance(): Promise<void> {
    await this.#addInstance();
    const oldest = this.#instances.shift()!;
    await oldest.stop('SIGTERM');
  }

  /** Until there were enough requests, for long enough. */
  async #watch(): Promise<number[]> {
    const { requests, leastMs, print } = this.#options;
    const startMs = performance.now();
    const memory: number[] = [];
    for (;;) {
      await new Promise((resolve) => setTimeout(resolve, 30_000));
      const { answered, repeated, failed } = this.#tally;
      memory.push(memoryOf(this.#balancer.pid));
      const seconds = Math.round((performance.now() - startMs) / 1_000);
      const troubles = JSON.stringify(this.#troubles);
      print(
        `${seconds} s: ${answered} answered, ${repeated} repeated, ${failed.length} failed; ${memory.at(-1)} MB; ${troubles}`,
      );
      if (answered >= requests && performance.now() - startMs >= leastMs) return memory;
    }
  }
}

/** Memory of a process with all below it, shared pages counted once, in MB. */
function memoryOf(pid: number): number {
  const pssOf = (one: number): number => {
    try {
      const [, kilobytes] =
        /^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${one}/smaps_rollup`, 'utf8')) ?? [];
      const children = readFileSync(`/proc/${one}/task/${one}/children`, 'utf8').trim();
      const below = children === '' ? [] : children.split(' ').map(Number);
      return Number(kilobytes ?? 0) + below.reduce((sum, child) => sum + pssOf(child), 0);
    } catch {
      // It has just ended.
      return 0;
    }
  };
  return Math.round(pssOf(pid) / 1_024);
}
