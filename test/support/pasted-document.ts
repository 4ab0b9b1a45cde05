import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort, until } from '@rollcall/testkit';
import { type Outcome, Paste, type Step, stepsOf } from './console.ts';
import { isInstalled } from './installed.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** `npm` of a document is this: the same programs, without the time that npm takes. */
const NPM = `#!/bin/bash
shift; [ "$1" = --silent ] && shift
name=$1; shift; [ "$1" = -- ] && shift
case $name in
  registry) set -- packages/registry-server/src/main.ts --log-level error --warm-up-ms 0 "$@" ;;
  node-proxy) set -- packages/node-proxy/src/main.ts "$@" ;;
  dns) set -- packages/dns-server/src/main.ts "$@" ;;
  lb) set -- packages/lb/src/main.ts "$@" ;;
  rollcall) set -- packages/cli/src/main.ts "$@" ;;
esac
exec ${process.execPath} --conditions=@rollcall/source "\${@/#packages/${root}packages}"
`;

/** For machines that have no dig. */
const DIG = `#!/bin/sh
exec ${process.execPath} ${fileURLToPath(new URL('dig.mjs', import.meta.url))} "$@"
`;

/** The ports that documents name, and the variables that move the programs to others. */
const PORTS: Readonly<Record<string, (port: string) => NodeJS.ProcessEnv>> = {
  7400: (port) => ({ ROLLCALL_PORT: port, ROLLCALL_URL: `http://127.0.0.1:${port}` }),
  7453: (port) => ({ ROLLCALL_DNS_METRICS: `127.0.0.1:${port}` }),
  7480: (port) => ({ LB_ADMIN_PORT: port }),
  7488: (port) => ({ SHOP_ADMIN_PORT: port }),
  7490: (port) => ({ ROLLCALL_NODE_PROXY_METRICS: `127.0.0.1:${port}` }),
  8053: () => ({}),
  8088: (port) => ({ SHOP_PORT: port }),
};

/** What came of the commands of a document. */
export interface Played {
  readonly step: Step;
  /** With the document's ports, and `host` for the name of this machine. */
  readonly seen: Outcome;
}

function replaced(text: string, pairs: Iterable<readonly [string, string]>): string {
  let result = text;
  for (const [from, to] of pairs) {
    result = result.replaceAll(new RegExp(`\\b${from}\\b`, 'g'), to);
  }
  return result;
}

/** Pastes all commands of a document into a shell at once, in an empty folder that has the project's examples. */
export class PastedDocument {
  readonly #folder = mkdtempSync(join(tmpdir(), 'rollcall-pasted-'));
  readonly #steps: readonly Step[];
  readonly #ports: ReadonlyMap<string, string>;
  readonly #paste: Paste;

  private constructor(steps: readonly Step[], ports: ReadonlyMap<string, string>) {
    this.#steps = steps;
    this.#ports = ports;
    symlinkSync(join(root, 'examples'), join(this.#folder, 'examples'));
    writeFileSync(join(this.#folder, 'npm'), NPM, { mode: 0o755 });
    if (!isInstalled('dig')) writeFileSync(join(this.#folder, 'dig'), DIG, { mode: 0o755 });
    const moved = [...ports].map(([port, own]) => PORTS[port]?.(own));
    const commands = steps.map(({ command }) => replaced(command, ports));
    this.#paste = new Paste(commands, this.#folder, {
      PATH: `${this.#folder}:${join(process.execPath, '..')}:${process.env['PATH'] ?? ''}`,
      ...Object.assign({}, ...moved),
    });
  }

  /** These ports of the document become free ones. */
  static async open(file: string, ports: readonly number[]): Promise<PastedDocument> {
    const own = new Map<string, string>();
    for (const port of ports) own.set(`${port}`, `${await freePort()}`);
    return new PastedDocument(stepsOf(readFileSync(file, 'utf8')), own);
  }

  async played(withinMs: number): Promise<Played[]> {
    const back = [...this.#ports].map(([port, own]) => [own, port] as const);
    const outcomes = await this.#paste.outcomes(withinMs);
    return this.#steps.map((step, index) => {
      const { output, exitCode } = outcomes[index] as Outcome;
      return {
        step,
        seen: { output: replaced(output, [[hostname(), 'host'], ...back]), exitCode },
      };
    });
  }

  /** Waits until nothing that it started runs any more. */
  async ended(): Promise<void> {
    await until(() => !this.#paste.isRunning, { what: 'the end of all that was started' });
  }

  close(): void {
    this.#paste.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
