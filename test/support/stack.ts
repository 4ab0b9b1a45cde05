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
const HELLO = join(root, 'packages/rollcall/src/dev/hello.ts');
const CLI = join(root, 'packages/cli/src/main.ts');
const NODE_PROXY = join(root, 'packages/node-proxy/src/main.ts');
const DNS = join(root, 'packages/dns-server/src/main.ts');
const WORKER = join(root, 'test/support/worker.ts');
const WEB = join(root, 'examples/tutorial/web.mjs');

/** A registry server in a separate process. */
export interface RegistryProcess {
  readonly url: string;
  readonly port: number;
  process: TestProcess;
}

/** Processes for one test, on free ports of loopback; `close` ends the remaining ones. */
export class Stack {
  readonly #processes = new Set<TestProcess>();
  /** Processes of `rollcall run`. */
  readonly #runs: TestProcess[] = [];
  readonly #clients: Rollcall[] = [];
  readonly #folders: string[] = [];

  /** Starts a registry server; pass the port of a dead one to replace it. */
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
      { withinMs: 60_000, what: `a registry at ${url}` },
    );
    return { url, port: own, process: started };
  }

  /** Starts an instance of `hello`; resolves when it is on the roll. */
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

  /** Starts an instance that reports each of its actions to `onLine`; does not wait for it. */
  worker(options: StartProcessOptions): TestProcess {
    return this.#start(WORKER, [], options);
  }

  /** Starts a load balancer for a service; returns the URL of its listener once it answers. */
  async balancer(
    urls: readonly string[],
    {
      service = 'hello',
      port: asked,
      env = {},
    }: { service?: string; port?: number; env?: NodeJS.ProcessEnv } = {},
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
    const started = this.#start(LB, ['--config', config], { env });
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

  /** Starts a node proxy and a DNS server; returns the port of the DNS server. */
  async planes(url: string): Promise<{ dnsPort: number }> {
    const dnsPort = await freePort();
    const proxy = this.#start(NODE_PROXY, ['--registry', url, '--metrics', 'off']);
    const dns = this.#start(DNS, ['--registry', url, '--port', `${dnsPort}`, '--metrics', 'off']);
    await Promise.all([proxy.printed(/"listening"/), dns.printed(/"listening"/)]);
    return { dnsPort };
  }

  /** Starts a web server in a separate process with `rollcall run`; resolves when it is up. */
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
    // SIGTERM while a registry is running, so that they end their commands too.
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

/** The name of the instance that answered: the last word of `hello from NAME`. */
export function nameIn(text: string): string {
  return text.trim().split(' ').at(-1) ?? '';
}
