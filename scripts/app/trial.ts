import { freePort, type TestProcess, until } from '@rollcall/testkit';

interface Trial {
  /** Starts the command with these arguments and variables. */
  readonly start: (args: readonly string[], env?: Readonly<Record<string, string>>) => TestProcess;
  /** What its `version` must print. */
  readonly version: string;
  /** Called while a registry runs there. */
  readonly onReady?: (url: string) => Promise<void>;
}

/** Pages whose code is loaded when they are asked for, or that are files of a library. */
const PAGES = [
  '/readyz?for=writes',
  '/v1/namespaces/default/services',
  '/openapi.json',
  '/docs/',
  '/metrics',
];

/** Starts every part once, and asks a registry with the command. Throws with the output of what fails. */
export async function tryApp({ start, version, onReady }: Trial): Promise<void> {
  const ends = async (args: readonly string[], expected: string, env = {}) => {
    const child = start(args, env);
    await until(() => child.hasExited, { withinMs: 60_000, what: args.join(' ') });
    if (child.child.exitCode !== 0 || !child.output.includes(expected)) {
      throw new Error(`${args.join(' ')}: expected ${expected}, got:\n${child.output}`);
    }
  };
  await ends(['version', '--client'], `v${version}\n`);
  for (const name of ['lb', 'node-proxy', 'dns']) await ends([name, '--help'], '--');
  const url = `http://127.0.0.1:${await freePort()}`;
  const registry = start(['registry', '--port', new URL(url).port]);
  try {
    await registry.printed(/"msg":"listening"/);
    for (const page of PAGES) {
      await until(async () => (await fetch(`${url}${page}`)).ok, { what: page });
    }
    await ends(['get', 'svc'], 'rollcall', { ROLLCALL_URL: url });
    await onReady?.(url);
  } finally {
    await registry.stop();
  }
  const { exitCode } = registry.child;
  if (exitCode !== 0) throw new Error(`the registry ended with ${exitCode}:\n${registry.output}`);
}
