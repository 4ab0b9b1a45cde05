import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Rollcall } from '@rollcall/client-sdk';
import type { CallReport } from './caller.ts';
import { Child, type ChildOptions } from './child.ts';
import { COMMANDS } from './commands.ts';
import type { DevOptions } from './dev-options.ts';
import { LiveLine } from './live-line.ts';

/** Files beside src and dist. */
const file = (name: string) => join(import.meta.dirname, '../../dev', name);

/** While the registry starts, it does not answer yet: nobody needs to be told. */
const SILENT = { info: () => {}, warn: () => {} };

async function answers(url: string): Promise<boolean> {
  const response = await fetch(url).catch(() => undefined);
  await response?.text();
  return response?.ok === true;
}

interface Declared {
  readonly clusterIP: string;
  readonly nodePort: number;
}

/**
 * A registry, a load balancer, a node proxy, a DNS server, three instances of a small service and a client that calls it,
 * each in a separate process as in real life. Ctrl-C ends them all.
 */
export class DevStack {
  readonly #options: DevOptions;
  readonly #url: string;
  readonly #balancer: string;
  readonly #logs = mkdtempSync(join(tmpdir(), 'rollcall-'));
  readonly #children: Child[] = [];
  readonly #line = new LiveLine();
  readonly #rollcall: Rollcall;
  #stopping: Promise<void> | undefined;

  constructor(options: DevOptions) {
    this.#options = options;
    this.#url = `http://127.0.0.1:${options['registry-port']}`;
    this.#balancer = `http://127.0.0.1:${options['lb-port']}`;
    this.#rollcall = new Rollcall({ url: this.#url, logger: SILENT });
  }

  /** Starts everything; resolves once all of it answers, or the stack is being ended because it cannot. */
  async run(): Promise<void> {
    try {
      await this.#start();
    } catch (error) {
      if (!this.#isStopping) this.#line.say((error as Error).message);
      this.#stop(1);
    }
  }

  async #start(): Promise<void> {
    // A terminal's Ctrl-C arrives twice: from the terminal, and through npm.
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => this.#stop(0));
    }
    // npx does not pass a SIGTERM on: then the stack would stay without it.
    const { ppid } = process;
    const watch = setInterval(() => process.ppid !== ppid && this.#stop(0), 500);
    watch.unref();
    this.#startRegistry();
    // Before it answers, the others would only wait for it, and share the processor with it.
    await this.#until(() => answers(`${this.#url}/readyz`));
    if (this.#isStopping) return;
    this.#startPlanes();
    const instances = ['hello-a', 'hello-b', 'hello-c'];
    for (const id of instances) this.#startOwn(id, ['dev', 'hello'], { HELLO_ID: id });

    const hello = this.#rollcall.service('hello');
    hello.on('change', ({ endpoints }) => this.#line.saw(endpoints));
    // Rejects because it is closed when the stack ends before it is up.
    await hello.ready({ endpoints: 0 }).catch((error: unknown) => {
      if (!this.#isStopping) throw error;
    });
    await this.#until(() => hello.endpoints().length >= instances.length);
    await this.#until(() => answers(this.#balancer));
    if (this.#isStopping) return;
    // Last, since the others are waited for.
    const caller = this.#startOwn('caller', ['dev', 'caller']);
    caller.process.on('message', (report: CallReport) => this.#line.called(report));
    this.#explain(await this.#declare());
    this.#line.begin();
  }

  get #isStopping(): boolean {
    return this.#stopping !== undefined;
  }

  #startRegistry(): void {
    const { store, ...options } = this.#options;
    const registry = ['--port', options['registry-port'], '--store', store];
    this.#startChild('registry', [
      'registry',
      ...registry,
      '--service-cidr',
      options['service-cidr'],
    ]);
  }

  #startPlanes(): void {
    const options = this.#options;
    this.#startOwn('lb', ['lb', '--config', file('lb.yaml')], {
      LB_PORT: options['lb-port'],
      LB_ADMIN_PORT: options['lb-admin-port'],
    });
    const plane = ['--registry', this.#url, '--metrics', 'off'];
    this.#startChild('node-proxy', ['node-proxy', ...plane]);
    this.#startChild('dns', ['dns', ...plane, '--port', options['dns-port']]);
  }

  /** Starts a program that learns the registry's address from its environment. */
  #startOwn(name: string, words: readonly string[], env: ChildOptions['env'] = {}): Child {
    return this.#startChild(name, words, { ROLLCALL_URL: this.#url, ...env });
  }

  #startChild(name: string, words: readonly string[], env: ChildOptions['env'] = {}): Child {
    // The caller reports over a channel that a program with a watcher around it does not have.
    const isReloaded = this.#options.reload && name !== 'caller';
    const child = new Child({ name, words, env, logs: this.#logs, isReloaded });
    this.#children.push(child);
    child.process.once('exit', (code, signal) => {
      if (this.#isStopping) return;
      if (name === 'registry') this.#line.lostRegistry();
      this.#line.say(`${name} (pid ${child.pid}) ended: ${signal ?? `exit code ${code}`}`);
      if (code !== 0 && code !== null) {
        this.#line.say(child.tail);
        this.#stop(1);
      }
    });
    return child;
  }

  /** Waits until the condition holds, or until the stack stops. */
  async #until(condition: () => boolean | Promise<boolean>): Promise<void> {
    while (!this.#isStopping && !(await condition())) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** Declares the service in front of the instances, and waits until its address answers, if this machine can bind it. */
  async #declare(): Promise<Declared> {
    const manifest = readFileSync(file('hello.yaml'), 'utf8');
    const wanted = this.#options['node-port'];
    const body = wanted === '' ? manifest : `${manifest.trimEnd()}\n      nodePort: ${wanted}\n`;
    const { results } = await this.#rollcall.call('apply', { body });
    const spec = results[0]?.object?.['spec'] as {
      clusterIP: string;
      ports: { nodePort: number }[];
    };
    const params = { ns: 'default', svc: 'hello' };
    await this.#until(async () => {
      const { reports } = await this.#rollcall.call('listReports', { params });
      return reports.length > 0;
    });
    return { clusterIP: spec.clusterIP, nodePort: spec.ports[0]?.nodePort ?? 0 };
  }

  #explain({ clusterIP, nodePort }: Declared): void {
    if (this.#isStopping) return;
    const [url, balancer, dnsPort] = [this.#url, this.#balancer, this.#options['dns-port']];
    const pidOf = (wanted: string) => this.#children.find(({ name }) => name === wanted)?.pid;
    console.log(`
Rollcall runs: a registry, a load balancer, a node proxy, a DNS server, three instances of the service 'hello', a client.

  registry       ${url}   (API: ${url}/docs)
  load balancer  ${balancer}   (targets: http://127.0.0.1:${this.#options['lb-admin-port']}/targets)
  service hello  cluster IP ${clusterIP}:8080, node port ${nodePort}
  DNS            127.0.0.1:${dnsPort}
  output         ${this.#logs}

Things to try in another terminal:

  curl ${balancer}/                          # through the load balancer
  curl http://${clusterIP}:8080/             # through the cluster IP
  curl http://127.0.0.1:${nodePort}/             # through the node port
  dig +short @127.0.0.1 -p ${dnsPort} hello     # by name
  ROLLCALL_URL=${url} ${COMMANDS.cli} describe svc hello
  curl ${url}/v1/namespaces/default/services/hello/endpoints
  kill -9 ${pidOf('hello-a')}      # hello-a dies; 'ROLLCALL_URL=${url} ${COMMANDS.hello}' brings another one

Ctrl-C ends everything. The registry is pid ${pidOf('registry')}.
`);
  }

  #stop(code: number): void {
    this.#stopping ??= this.#end().then(() => {
      // What was said is of interest after a failure.
      if (code === 0) rmSync(this.#logs, { recursive: true, force: true });
      process.exit(code);
    });
  }

  async #end(): Promise<void> {
    this.#line.end();
    await this.#rollcall.close();
    // Leaving processes notify the others through the registry, so the registry ends last.
    const instances = this.#children.filter(({ name }) => name.startsWith('hello-'));
    const named = (...names: string[]) => this.#children.filter(({ name }) => names.includes(name));
    const inOrder = [
      named('caller'),
      instances,
      named('lb', 'node-proxy', 'dns'),
      named('registry'),
    ];
    for (const group of inOrder) await Promise.all(group.map((child) => child.stop(8_000)));
  }
}
