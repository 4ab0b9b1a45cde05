import { mkdtemp, writeFile } from 'node:fs/promises';
import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** One name and its addresses. */
export interface AskedName {
  readonly service: string;
  readonly name: string;
  readonly addresses: readonly string[];
}

const NAMES = 100;
const ADDRESSES = 3;

/** The names that all servers have. */
export function askedNames(): AskedName[] {
  return Array.from({ length: NAMES }, (_, i) => ({
    service: `service-${i}`,
    name: `service-${i}.default.svc.cluster.local`,
    addresses: Array.from({ length: ADDRESSES }, (_each, k) => `10.0.${i}.${k + 1}`),
  }));
}

/** A folder that is removed when this process ends. */
export async function scratchFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-dns-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Writes the queries for dnsperf; returns the file. */
export async function writeQueries(names: readonly AskedName[]): Promise<string> {
  const file = join(await scratchFolder(), 'queries');
  await writeFile(file, names.map(({ name }) => `${name} A\n`).join(''));
  return file;
}
