import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findRedisBinary, freePort, startNode, TestProcess } from '@rollcall/testkit';
import { parse } from 'yaml';

const root = fileURLToPath(new URL('../..', import.meta.url));

export interface ComposeService {
  readonly image: string;
  readonly build?: { readonly dockerfile: string };
  readonly entrypoint?: readonly string[];
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly volumes?: readonly string[];
  readonly ports?: readonly string[];
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly user?: string;
  readonly healthcheck?: object;
}

export interface ComposeFile {
  readonly services: Readonly<Record<string, ComposeService>>;
}

export function readCompose(file: string): ComposeFile {
  return parse(readFileSync(file, 'utf8'), { merge: true }) as ComposeFile;
}

/**
 * What a compose file starts, started without Docker: its commands, environment and mounted files. Loopback stands for
 * the containers' network, so each port of a service becomes a free port.
 */
export class LocalCompose {
  readonly services: ComposeFile['services'];
  readonly #home: string;
  /** Copies of mounted files, with the ports of this machine. */
  readonly #copies = mkdtempSync(join(tmpdir(), 'compose-'));
  readonly #ports: ReadonlyMap<string, string>;
  readonly #started: TestProcess[] = [];

  private constructor(
    file: string,
    services: ComposeFile['services'],
    ports: ReadonlyMap<string, string>,
  ) {
    this.services = services;
    this.#home = dirname(file);
    this.#ports = ports;
  }

  /** Gives a free port to each of these `service:port`. */
  static async open(file: string, listening: readonly string[]): Promise<LocalCompose> {
    const ports = new Map<string, string>();
    for (const one of listening) ports.set(one, `${await freePort()}`);
    return new LocalCompose(file, readCompose(file).services, ports);
  }

  /** Where a `service:port` of the file listens here. */
  url(listening: string): string {
    return `http://127.0.0.1:${this.#ports.get(listening)}`;
  }

  start(name: string, extra: readonly string[] = []): TestProcess {
    const { entrypoint = [], command = [], environment = {} } = this.#service(name);
    const env = Object.fromEntries(
      Object.entries(environment).map(([key, value]) => [
        key,
        this.#isOwnPort(key, value) ? this.#port(name, value) : this.#local(value),
      ]),
    );
    const args = [...entrypoint, ...command].map((word, index, words) =>
      words[index - 1] === '--port'
        ? this.#port(name, word)
        : (this.#mounted(name, word) ?? this.#local(word)),
    );
    return this.#run(entrypoint.length > 0, [...args, ...extra], env);
  }

  /** Starts the service that is a Redis, with nothing written to disk. */
  async startRedis(name: string): Promise<void> {
    const binary = await findRedisBinary();
    if (binary === undefined) throw new Error('no redis-server on this machine');
    const [, ...args] = this.#service(name).command ?? [];
    const port = ['--port', this.#port(name, '6379'), '--bind', '127.0.0.1'];
    const own = [...args, ...port, '--appendonly', 'no', '--save', ''];
    const env = binary.libraryPath === undefined ? {} : { LD_LIBRARY_PATH: binary.libraryPath };
    this.#started.push(new TestProcess(binary.path, own, { env }));
  }

  async close(): Promise<void> {
    await Promise.all(this.#started.toReversed().map((child) => child.stop('SIGTERM')));
    rmSync(this.#copies, { recursive: true, force: true });
  }

  #service(name: string): ComposeService {
    const service = this.services[name];
    if (service === undefined) throw new Error(`no service ${name} in the compose file`);
    return service;
  }

  #run(isWholeCommand: boolean, args: readonly string[], env: NodeJS.ProcessEnv): TestProcess {
    const options = { env: { ...env, CONFIG: '' }, cwd: root };
    const [program = '', ...rest] = args;
    let child: TestProcess;
    if (!isWholeCommand) {
      child = startNode(join(root, 'packages/rollcall/src/main.ts'), args, options);
    } else if (program === 'node') child = startNode(rest[0] ?? '', rest.slice(1), options);
    else child = new TestProcess(program, rest, options);
    this.#started.push(child);
    return child;
  }

  #isOwnPort(key: string, value: string): boolean {
    return key.endsWith('PORT') && /^\d+$/.test(value);
  }

  #port(name: string, port: string): string {
    return this.#ports.get(`${name}:${port}`) ?? port;
  }

  /** A text of the file as it has to be here: defaults of variables, and addresses. */
  #local(value: string): string {
    let result = value.replaceAll(/\$\{\w+:-([^}]*)\}/g, '$1');
    for (const [listening, port] of this.#ports) {
      result = result.replaceAll(new RegExp(`\\b${listening}\\b`, 'g'), `127.0.0.1:${port}`);
    }
    return result.replaceAll(/\b0\.0\.0\.0\b/g, '127.0.0.1');
  }

  /** The file of this machine that a path in the container means; relative paths start at the image's folder. */
  #mounted(name: string, path: string): string | undefined {
    const inside = path.startsWith('/') ? path : `/app/${path}`;
    for (const volume of this.#service(name).volumes ?? []) {
      const [outside = '', target = ''] = volume.split(':');
      if (!outside.startsWith('.') || !`${inside}/`.startsWith(`${target}/`)) continue;
      const file = join(this.#home, outside, inside.slice(target.length));
      return file.endsWith('lb.yaml') ? this.#copy(name, file) : file;
    }
    return undefined;
  }

  /** The balancer's file with the ports of this machine. */
  #copy(name: string, file: string): string {
    const text = readFileSync(file, 'utf8').replaceAll(
      /\bport: (\d+)/g,
      (_, port: string) => `port: ${this.#port(name, port)}`,
    );
    const copy = join(this.#copies, 'lb.yaml');
    writeFileSync(copy, this.#local(text));
    return copy;
  }
}
