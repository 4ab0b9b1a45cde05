import { RollcallError } from './error.ts';

/** Versions of the JavaScript host, in the form of `process.versions`. */
export type HostVersions = Readonly<Record<string, string | undefined>>;

/** The oldest versions on which it was tried. */
const LEAST = { node: [22, 19], deno: [2, 9] } as const;

/**
 * Throws a one-sentence {@link RollcallError} `invalid_options` on an unsupported host: there the client would hang, or
 * fail deep inside a dependency.
 */
export function assertHost({ bun, deno, node = '0.0' }: HostVersions): void {
  const isDeno = deno !== undefined;
  const isOld = isDeno ? isBefore(deno, LEAST.deno) : isBefore(node, LEAST.node);
  if (bun === undefined && !isOld) return;
  const host = bun !== undefined ? `Bun ${bun}` : isDeno ? `Deno ${deno}` : `Node.js ${node}`;
  throw new RollcallError(
    'invalid_options',
    `the Rollcall client needs Node.js ${LEAST.node.join('.')} or Deno ${LEAST.deno.join('.')}, or later, and this is ${host}`,
  );
}

function isBefore(version: string, [leastMajor, leastMinor]: readonly [number, number]): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major < leastMajor || (major === leastMajor && minor < leastMinor);
}
