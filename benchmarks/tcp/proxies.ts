import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort, type TestProcess, until } from '@rollcall/testkit';
import { versionOf } from '../support/machine.ts';
import { CORE, startPinned, startPinnedNode } from '../support/placement.ts';
import { exchangesKept } from './exchanges.ts';

const PLANE = fileURLToPath(new URL('plane.ts', import.meta.url));
const BACKEND = fileURLToPath(new URL('backend.ts', import.meta.url));

/** One of the compared proxies. */
export interface TcpProxy {
  readonly name: 'handle' | 'net' | 'haproxy';
  readonly version: string | undefined;
  readonly port: number;
  readonly pid: number;
  close(): Promise<void>;
}

async function portOf(child: TestProcess): Promise<number> {
  const [line] = await child.printed(/\{.*"msg":"listening"\}\n/);
  return (JSON.parse(line) as { port: number }).port;
}

export async function startBackend(): Promise<Omit<TcpProxy, 'name' | 'version'>> {
  const child = startPinnedNode(CORE.rest, BACKEND);
  return {
    port: await portOf(child),
    pid: child.pid,
    close: async () => void (await child.stop()),
  };
}

/** The data plane over one I/O implementation. */
export async function startPlane(name: 'handle' | 'net', target: number): Promise<TcpProxy> {
  const child = startPinnedNode(CORE.tested, PLANE, [name, `${target}`]);
  const close = async () => void (await child.stop());
  return { name, version: undefined, port: await portOf(child), pid: child.pid, close };
}

/** HAProxy with one thread in tcp mode; undefined if it is not installed. */
export async function startHaproxy(target: number): Promise<TcpProxy | undefined> {
  const version = versionOf('haproxy', ['-v']);
  if (version === undefined) return undefined;
  const folder = mkdtempSync(join(tmpdir(), 'bench-haproxy-'));
  const port = await freePort();
  const config = `global
  nbthread 1
  maxconn 1000
defaults
  mode tcp
  timeout connect 5s
  timeout client 60s
  timeout server 60s
listen target
  bind 127.0.0.1:${port}
  server target 127.0.0.1:${target}
`;
  writeFileSync(join(folder, 'haproxy.cfg'), config);
  const child = startPinned(CORE.tested, 'haproxy', ['-f', join(folder, 'haproxy.cfg'), '-db']);
  await until(() => exchangesKept(port, 1, 1));
  const close = async () => {
    await child.stop();
    rmSync(folder, { recursive: true });
  };
  return { name: 'haproxy', version, port, pid: child.pid, close };
}
