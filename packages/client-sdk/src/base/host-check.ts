import { RollcallError } from './error.ts';

/** Versions of the JavaScript host, in the form of `process.versions`. */
export type HostVersions = Readonly<Record<string, string | undefined>>;

const LEAST = { major: 22, minor: 19 };

/**
 * Throws a one-sentence {@link RollcallError} `invalid_options` on an unsupported host: there the client would hang, or
 * fail deep inside a dependency.
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
