import { readFileSync } from 'node:fs';
import { HttpLoad, requestBytes } from '../support/http-load.ts';
import type { Proxy } from './proxies.ts';

/** Memory of the process that no other one shares, in bytes. */
function ownBytes(pid: number): number {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const kib = [...rollup.matchAll(/^Private_\w+: +(\d+) kB$/gm)].map(([, value]) => Number(value));
  return kib.reduce((total, value) => total + value, 0) * 1_024;
}

/** What an idle connection costs the proxy in memory, in bytes, after a request over each. */
export async function idleBytes({ port, pid }: Proxy, connections: number): Promise<number> {
  const before = ownBytes(pid);
  const load = new HttpLoad({ port, connections, status: 200 });
  await load.open();
  const request = requestBytes('GET', '/');
  await load.runCount(connections, () => request);
  const bytes = (ownBytes(pid) - before) / connections;
  load.close();
  return bytes;
}
