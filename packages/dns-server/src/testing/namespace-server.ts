// A DNS server on port 53 for a separate network namespace. It reads its endpoints from a
// file, and again when it changes:
//
//     node namespace-server.ts FILE    {"isReady": true, "names": ["web-0"]}
//
// Each name is an instance of `web`, and an HTTP server that shows metrics.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { startDnsServer } from '../compose.ts';
import { readConfig } from '../config/config.ts';
import { FakeCatalog } from './fake-catalog.ts';
import { endpoint, snapshot } from './snapshots.ts';

const file = process.argv[2]!;
const catalog = new FakeCatalog();
const servers = new Map<string, Promise<number>>();
let last = '';

function portOf(name: string): Promise<number> {
  const known = servers.get(name);
  if (known !== undefined) return known;
  const started = new Promise<number>((resolve) => {
    const server = createServer((_request, response) => response.end(`name{is="${name}"} 1\n`));
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
  servers.set(name, started);
  return started;
}

async function reload(): Promise<void> {
  const text = readFileSync(file, 'utf8');
  if (text === last) return;
  last = text;
  const { isReady, names } = JSON.parse(text) as { isReady: boolean; names: string[] };
  const endpoints = await Promise.all(
    names.map(async (instance) => endpoint({ instance, port: await portOf(instance) })),
  );
  catalog.isReady = isReady;
  if (isReady) catalog.put(snapshot('web', { endpoints }));
}

await reload();
setInterval(() => void reload().catch(() => {}), 50);
await startDnsServer(readConfig(['--registry=http://127.0.0.1:1', '--port=53', '--metrics=off']), {
  catalog,
});
process.stdout.write('listening\n');
