import { fileURLToPath } from 'node:url';
import type { TestProcess } from '@rollcall/testkit';
import { HttpLoad, requestBytes } from './http-load.ts';
import { CORE, startPinned } from './placement.ts';

const MAIN = fileURLToPath(new URL('../../packages/registry-server/src/main.ts', import.meta.url));

/** A registry server in its own process on the core under test. */
export interface RegistryProcess {
  readonly port: number;
  readonly url: string;
  readonly process: TestProcess;
}

export interface RegistryOptions {
  /** `memory`, or the URL of a Redis. */
  readonly store: string;
  /** The core to run on. @default the one under test */
  readonly core?: number;
  /** Options of Node.js itself, such as `--cpu-prof`. */
  readonly nodeOptions?: readonly string[];
}

/** Starts a server without rate limits, and waits until it listens. */
export async function startRegistry(options: RegistryOptions): Promise<RegistryProcess> {
  const { store, core = CORE.tested, nodeOptions = [] } = options;
  const flags = ['--port', '0', '--store', store];
  flags.push('--max-writes-per-second', '0', '--max-heartbeats-per-second', '0');
  flags.push('--max-snapshots-per-second', '0', '--flap-hold-ms', '0');
  const process = startPinned(core, globalThis.process.execPath, [
    '--conditions=@rollcall/source',
    ...nodeOptions,
    MAIN,
    ...flags,
  ]);
  const [, url = ''] = await process.printed(/"url":"(http:[^"]+)"/);
  return { url, port: Number(new URL(url).port), process };
}

/** Registers the ports as instances of the service `orders`, for five minutes. */
export async function enroll(
  { port }: Pick<RegistryProcess, 'port'>,
  ports: readonly number[],
  portName: string,
): Promise<void> {
  const load = new HttpLoad({ port, connections: 1, status: 200 });
  await load.open();
  let at = 0;
  await load.runCount(ports.length, () => {
    const own = ports[at++];
    const path = `/v1/namespaces/default/services/orders/instances/i${at}`;
    return requestBytes('PUT', path, { ports: { [portName]: own }, ttlMs: 300_000 });
  });
  load.close();
}
