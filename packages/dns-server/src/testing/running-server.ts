import type { ServiceSnapshot } from '@rollcall/client-sdk';
import { onTestFinished } from 'vitest';
import { type DnsServer, startDnsServer } from '../compose.ts';
import { readConfig } from '../config/config.ts';
import type { Address } from './dns-client.ts';
import { FakeCatalog } from './fake-catalog.ts';

export interface RunningServer {
  readonly server: DnsServer;
  readonly catalog: FakeCatalog;
  readonly address: Address;
}

/** A server for one test on a free port, with these services. Flags as on the command line. */
export async function startServer(
  snapshots: readonly ServiceSnapshot[],
  ...flags: string[]
): Promise<RunningServer> {
  const catalog = new FakeCatalog(snapshots);
  const config = readConfig([
    '--registry=http://127.0.0.1:1',
    '--port=0',
    '--metrics=off',
    ...flags,
  ]);
  const server = await startDnsServer(config, { catalog });
  onTestFinished(() => server.close());
  return { server, catalog, address: server.addresses[0]! };
}
