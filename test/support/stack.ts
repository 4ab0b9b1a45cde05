import { rm, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Rollcall } from '@rollcall/client-sdk';
import {
  freePort,
  startNode,
  type StartProcessOptions,
  type TestProcess,
  until,
} from '@rollcall/testkit';

const root = fileURLToPath(new URL('../..', import.meta.url));
const REGISTRY = join(root, 'packages/registry-server/src/main.ts');
const LB = join(root, 'packages/lb/src/main.ts');
const HELLO = join(root, 'examples/hello/main.ts');
const CLI = join(root, 'packages/cli/src/main.ts');
const NODE_PROXY = join(root, 'packages/node-proxy/src/main.ts');
const DNS = join(root, 'packages/dns-server/src/main.ts');
const WORKER = join(root, 'test/support/worker.ts');
const WEB = join(root, 'examples/tutorial/web.mjs');

/** A registry server in a process of its own. */
export interface RegistryProcess {
  readonly url: string;
  readonly port: number;
  process: TestProcess;
}

/** Processes of one test, on free ports of loopback; `close` ends what is left of them. */
export class Stack {
  readonly #processes = new Set<TestProcess>();
  /** Those of `rollcall run`. */
  readonly #runs: TestProcess[] = [];
  readonly #clients: Rollcall[] = [];
  readonly #folders: string[] = [];

  /** A registry server; give it the port of one that died to take its place. */
  async registry(
    flags: readonly string[] = [],
    port?: number,
    env: NodeJS.ProcessEnv = {},
    host = '127.0.0.1',
  ): Promise<RegistryProcess> {
    const own = port ?? (await freePort());
    const args = ['--port', `${own}`, '--log-level', 'warn', ...flags];
    const started = this.#start(REGISTRY, args, { env });
    const url = `http://${host}:${own}`;
    await until(
      async () => {
        if (started.hasExited) throw new Error(started.output);
        return (await fetch(`${url}/readyz`)).ok;
      },
      { withinMs: 20_000, what: `a registry at ${url}` },
    );
    return { url, port: own, process: started };
  }

  /** An instance of `hello`, on the roll when this resolves. */
  async hello(
    id: string,
    urls: readonly string[],
    env: NodeJS.ProcessEnv = {},
  ): Promise<TestProcess> {
    const own = { HELLO_ID: id, ROLLCALL_URL: urls.join(','), ...env };
    const started = this.#start(HELLO, [], { env: own });
    await started.printed(/is on the roll/);
    return started;
  }

  /** An instance that tells each line of what it does to `onLine`; not waited for. */
  worker(options: StartProcessOptions): TestProcess {
    return this.#start(WORKER, [], options);
  }

  /** A load balancer over a service; gives the address of its listener once it answers. */
  async balancer(
    urls: readonly string[],
    { service = 'hello', port: asked }: { service?: string; port?: number } = {},
  ): Promise<{ url: string; admin: string; process: TestProcess }> {
    const [port, adminPort] = [asked ?? (await freePort()), await freePort()];
    const folder = await mkdtemp(join(tmpdir(), 'test-lb-'));
    this.#folders.push(folder);
    const config = join(folder, 'lb.yaml');
    await writeFile(
      config,
      `registry: { url: [${urls.join(', ')}] }
listeners:
  - { name: web, port: ${port}, default: { targetGroup: web } }
targetGroups:
  web: { service: ${service} }
admin: { port: ${adminPort} }
accessLog: off
`,
    );
    const started = this.#start(LB, ['--config', config]);
    const url = `http://127.0.0.1:${port}`;
    await until(
      async () => {
        if (started.hasExited) throw new Error(started.output);
        const response = await fetch(url);
        await response.text();
        return response.ok;
      },
      { what: `an answer through the balancer at ${url}` },
    );
    return { url, admin: `http://127.0.0.1:${adminPort}`, process: started };
  }

  /** A proxy of this machine, and a DNS server; gives the port of the latter. */
  async planes(url: string): Promise<{ dnsPort: number }> {
    const dnsPort = await freePort();
    const proxy = this.#start(NODE_PROXY, ['--registry', url, '--metrics', 'off']);
    const dns = this.#start(DNS, ['--registry', url, '--port', `${dnsPort}`, '--metrics', 'off']);
    await Promise.all([proxy.printed(/"listening"/), dns.printed(/"listening"/)]);
    return { dnsPort };
  }

  /** A web server in a process of its own, put on the roll by `rollcall run`; it is up when this resolves. */
  async web(id: string, url: string, service = 'web'): Promise<TestProcess> {
    const port = `${await freePort()}`;
    const command = [process.execPath, WEB, id, '127.0.0.1', port];
    const flags = ['--service', service, '--id', id, '--port', `${port}:80`];
    const started = this.#start(CLI, ['run', ...flags, '--', ...command], {
      env: { ROLLCALL_URL: url },
    });
    this.#runs.push(started);
    await started.printed(/ is up/);
    return started;
  }

  client(urls: readonly string[]): Rollcall {
    const rollcall = new Rollcall({ url: [...urls] });
    this.#clients.push(rollcall);
    return rollcall;
  }

  async close(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.close()));
    // Told politely and while there is a registry, so that they end their commands too.
    await Promise.all(this.#runs.map((one) => one.stop('SIGTERM')));
    await Promise.all([...this.#processes].map((one) => one.stop('SIGKILL')));
    await Promise.all(this.#folders.map((one) => rm(one, { recursive: true, force: true })));
  }

  #start(file: string, args: readonly string[], options: StartProcessOptions = {}): TestProcess {
    const started = startNode(file, args, { cwd: root, ...options });
    this.#processes.add(started);
    started.child.once('exit', () => this.#processes.delete(started));
    return started;
  }
}

/** Who answered: the last word of `hello from NAME`. */
export function nameIn(text: string): string {
  return text.trim().split(' ').at(-1) ?? '';
}
