import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type TestProcess, freePort, until } from '@rollcall/testkit';
import { versionOf } from '../support/machine.ts';
import { CORE, startPinned, startPinnedNode } from '../support/placement.ts';
import { startRegistry } from '../support/registry.ts';
import { type AskedName, scratchFolder } from './names.ts';

const MAIN = fileURLToPath(new URL('../../packages/dns-server/src/main.ts', import.meta.url));
const DNS2 = fileURLToPath(new URL('dns2-server.ts', import.meta.url));

/** The newest dns2, and the version 3.0.0 against whose cost per query the budget was set. */
export type Dns2Package = 'dns2' | 'dns2-before';

/** One of the compared servers, on the core under test. */
export interface NameServer {
  readonly name: 'rollcall-dns' | 'knot' | Dns2Package;
  readonly version: string | undefined;
  readonly port: number;
  readonly pid: number;
  close(): Promise<void>;
}

/** The real program, and a registry on the other core with instances whose leases outlast the measurement. */
export async function startRollcall(names: readonly AskedName[]): Promise<NameServer> {
  const registry = await startRegistry({ store: 'memory', core: CORE.rest });
  const instances = names.flatMap(({ service, addresses }) =>
    addresses.map((address, i) => ({ path: `${service}/instances/i${i}`, address })),
  );
  for (const { path, address } of instances) {
    const body = JSON.stringify({ address, ports: { http: 3_000 }, ttlMs: 300_000 });
    const url = `${registry.url}/v1/namespaces/default/services/${path}`;
    const headers = { 'content-type': 'application/json' };
    const { ok } = await fetch(url, { method: 'PUT', headers, body });
    if (!ok) throw new Error(`${path} could not be registered`);
  }
  const flags = ['--registry', registry.url, '--port', '0', '--metrics', '127.0.0.1:0'];
  const child = startPinnedNode(CORE.tested, MAIN, flags);
  const [line] = await child.printed(/\{.*"msg":"listening"\}\n/);
  const { dns, admin } = JSON.parse(line) as { dns: [string]; admin: string };
  await until(async () => (await fetch(`${admin}/readyz`)).ok);
  const close = async () => {
    await child.stop();
    await registry.process.stop();
  };
  const port = Number(dns[0].split(':')[1]);
  return { name: 'rollcall-dns', version: undefined, port, pid: child.pid, close };
}

/** knotd with one UDP worker; undefined if it is not installed. */
export async function startKnot(names: readonly AskedName[]): Promise<NameServer | undefined> {
  const version = versionOf('knotd', ['--version']);
  if (version === undefined) return undefined;
  const folder = await scratchFolder();
  const port = await freePort();
  const zone = join(folder, 'zone');
  const records = names.flatMap(({ name, addresses }) =>
    addresses.map((address) => `${name}. 5 A ${address}`),
  );
  const head = ['cluster.local. 5 SOA ns.cluster.local. h.cluster.local. 1 7200 1800 86400 5'];
  const server = ['cluster.local. 5 NS ns.cluster.local.', 'ns.cluster.local. 5 A 127.0.0.1'];
  await writeFile(zone, `${[...head, ...server, ...records].join('\n')}\n`);
  const config = `server:
  rundir: ${folder}
  listen: 127.0.0.1@${port}
  udp-workers: 1
  tcp-workers: 1
  background-workers: 1
database:
  storage: ${folder}
zone:
  - domain: cluster.local
    file: ${zone}
`;
  const file = join(folder, 'knot.conf');
  await writeFile(file, config);
  const child = startPinned(CORE.tested, 'knotd', ['-c', file]);
  await child.printed(/server started/);
  return { name: 'knot', version, port, pid: child.pid, close: () => stopped(child) };
}

/** The library dns2, answering from a map. */
export async function startDns2(
  library: Dns2Package,
  names: readonly AskedName[],
): Promise<NameServer> {
  const require = createRequire(import.meta.url);
  const manifest = require(`${library}/package.json`) as { version: string };
  const version = `${library} ${manifest.version}`;
  const file = join(await scratchFolder(), 'names.json');
  await writeFile(file, JSON.stringify(names));
  const child = startPinnedNode(CORE.tested, DNS2, [file, library]);
  const [, port] = await child.printed(/listening (\d+)\n/);
  return {
    name: library,
    version,
    port: Number(port),
    pid: child.pid,
    close: () => stopped(child),
  };
}

async function stopped(child: TestProcess): Promise<void> {
  const ended = once(child.child, 'exit');
  child.child.kill('SIGTERM');
  await ended;
}
