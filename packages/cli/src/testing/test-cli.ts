import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type RegisterOptions, type Registration, Rollcall } from '@rollcall/client-sdk';
import { startTestServer } from '@rollcall/registry-server/testing';
import { until } from '@rollcall/testkit';
import { runProgram } from '../program.ts';
import { systemClock } from '@rollcall/runtime';

/** All objects are shown with this age, so that ages can be compared exactly. */
const AGE_MS = 20 * 60_000 + 5_000;

export interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** A command that runs until it is stopped. */
export class Running {
  out = '';
  err = '';
  readonly ended: Promise<number>;
  readonly #stop = new AbortController();

  constructor(start: (running: Running, signal: AbortSignal) => Promise<number>) {
    this.ended = start(this, this.#stop.signal);
  }

  /** Waits until either output matches the pattern. */
  async printed(pattern: RegExp): Promise<RegExpExecArray> {
    const what = () => `${pattern} in:\n${this.out}\n${this.err}`;
    return until(() => pattern.exec(`${this.out}\n${this.err}`), { what: what() }).catch(() => {
      throw new Error(`waited in vain for ${what()}`);
    });
  }

  /** Stops it as SIGINT and SIGTERM do; resolves with the exit code. */
  stop(): Promise<number> {
    this.#stop.abort();
    return this.ended;
  }
}

interface Given {
  readonly stdin?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly isTerminal?: boolean;
  /** Width of the terminal. */
  readonly columns?: number;
}

/** A registry for one test, instances on it, and the command to test. */
export class TestCli {
  readonly url: string;
  readonly rollcall: Rollcall;
  readonly folder = mkdtempSync(join(tmpdir(), 'rollcall-cli-'));
  readonly #closeServer: () => Promise<void>;
  readonly #running: Running[] = [];

  private constructor(server: { readonly url: string; close(): Promise<void> }, token?: string) {
    this.url = server.url;
    this.#closeServer = () => server.close();
    this.rollcall = new Rollcall({ url: server.url, ...(token === undefined ? {} : { token }) });
  }

  /** `flags` are passed to the registry. */
  static async start(...flags: string[]): Promise<TestCli> {
    return new TestCli(await startTestServer(...flags));
  }

  async close(): Promise<void> {
    await Promise.all(this.#running.map((one) => one.stop()));
    await this.rollcall.close();
    await this.#closeServer();
    rmSync(this.folder, { recursive: true });
  }

  async run(...argv: string[]): Promise<Ended> {
    return this.runWith({}, ...argv);
  }

  async runWith(given: Given, ...argv: string[]): Promise<Ended> {
    const running = this.begin(given, ...argv);
    const code = await running.ended;
    return { code, out: this.#settled(running.out), err: this.#settled(running.err) };
  }

  /** Removes what differs between runs: the registry's port and the test's folder. */
  #settled(text: string): string {
    const { port } = new URL(this.url);
    return text.replaceAll(port, 'PPPPP').replaceAll(`${this.folder}/`, '');
  }

  /** The output of a command that must succeed. */
  async out(...argv: string[]): Promise<string> {
    const { code, out, err } = await this.run(...argv);
    if (code !== 0) throw new Error(`${argv.join(' ')} ended with ${code}: ${err}`);
    return out;
  }

  begin({ stdin = '', env = {}, isTerminal = false, columns }: Given, ...argv: string[]): Running {
    const running = new Running((self, signal) =>
      runProgram(argv, {
        out: { write: (text) => (self.out += text), isTerminal, columns },
        err: { write: (text) => (self.err += text), isTerminal },
        env: { PATH: process.env['PATH'], USER: 'tester', ROLLCALL_URL: this.url, ...env },
        signal,
        version: '1.2.3',
        readStdin: () => Promise.resolve(stdin),
        clock: { ...systemClock, wallMs: () => systemClock.wallMs() + AGE_MS },
      }),
    );
    this.#running.push(running);
    return running;
  }

  start(...argv: string[]): Running {
    return this.begin({}, ...argv);
  }

  /** Writes a file and returns its path. */
  file(name: string, text: string): string {
    const path = join(this.folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    return path;
  }

  /** Applies a manifest that must be valid. */
  async apply(text: string): Promise<void> {
    const { code, err } = await this.runWith({ stdin: text }, 'apply', '-f', '-');
    if (code !== 0) throw new Error(err);
  }

  /** Registers an instance through the SDK, as a program would. */
  register(path: string, port: number, more: Partial<RegisterOptions> = {}): Promise<Registration> {
    const [service = '', id = ''] = path.split('/');
    return this.rollcall.register({
      service,
      id,
      ports: { http: { port, containerPort: 80 } },
      signals: false,
      ...more,
    });
  }
}
