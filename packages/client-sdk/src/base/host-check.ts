import { RollcallError } from './error.ts';

/** What a host says that it is, as `process.versions` does. */
export type HostVersions = Readonly<Record<string, string | undefined>>;

const LEAST = { major: 22, minor: 19 };

/**
 * Throws a {@link RollcallError} `invalid_options` in one sentence on a host that the client does not run on: elsewhere it
 * would hang, or fail somewhere deep in a dependency.
 */
export function assertHost({ bun, deno, node = '0.0' }: HostVersions): void {
  const [major = 0, minor = 0] = node.split('.').map(Number);
  const isOld = major < LEAST.major || (major === LEAST.major && minor < LEAST.minor);
  const other = bun !== undefined ? `Bun ${bun}` : deno !== undefined ? `Deno ${deno}` : undefined;
  if (other === undefined && !isOld) return;
  throw new RollcallError(
    'invalid_options',
    `the Rollcall client needs Node.js ${LEAST.major}.${LEAST.minor} or later, and this is ${other ?? `Node.js ${node}`}`,
  );
}
