import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, until } from '@rollcall/testkit';
import { versionOf } from './machine.ts';
import { CORE, startPinned } from './placement.ts';

/** A temporary etcd on the core under test. */
export interface EtcdPeer {
  readonly port: number;
  readonly pid: number;
  readonly version: string;
  close(): Promise<void>;
}

/** Starts an etcd; undefined if it is not installed. */
export async function startEtcd(): Promise<EtcdPeer | undefined> {
  const version = versionOf('etcd');
  if (version === undefined) return undefined;
  const dir = await mkdtemp(join(tmpdir(), 'bench-etcd-'));
  const [port, peerPort] = [await freePort(), await freePort()];
  const [client, peer] = [port, peerPort].map((one) => `http://127.0.0.1:${one}`);
  const flags = {
    'data-dir': dir,
    'log-level': 'error',
    'listen-client-urls': client,
    'advertise-client-urls': client,
    'listen-peer-urls': peer,
    'initial-advertise-peer-urls': peer,
    'initial-cluster': `default=${peer}`,
  };
  const args = Object.entries(flags).map(([name, value]) => `--${name}=${value}`);
  const process = startPinned(CORE.tested, 'etcd', args);
  const isHealthy = async () => (await fetch(`${client}/health`)).ok;
  await until(isHealthy, { withinMs: 20_000, what: 'etcd to be healthy' });
  const close = async () => {
    await process.stop();
    await rm(dir, { recursive: true, force: true });
  };
  return { port, pid: process.pid, version: version.replace(' Version:', ''), close };
}
