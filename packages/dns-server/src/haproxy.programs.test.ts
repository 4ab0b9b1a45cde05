import { writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { freePort, until } from '@rollcall/testkit';
import { expect, test } from 'vitest';
import { need, start, testFolder, writeExample } from './testing/programs.ts';
import { startServer } from './testing/running-server.ts';
import { snapshot } from './testing/snapshots.ts';
import { WebInstances, answering } from './testing/web-instances.ts';

const names = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => `web-${from + i}`);

/** HAProxy with the documented configuration, and what its runtime socket says. */
async function startHaproxy(haproxy: string, dnsPort: number) {
  const into = await testFolder();
  const port = await freePort();
  const config = await writeExample('haproxy.cfg', into, {
    '127.0.0.1:8053': `127.0.0.1:${dnsPort}`,
    '127.0.0.2:8053': `127.0.0.2:${dnsPort}`,
    '127.0.0.1:8080': `127.0.0.1:${port}`,
  });
  const socket = join(into, 'admin.sock');
  const admin = join(into, 'admin.cfg');
  await writeFile(admin, `global\n    stats socket ${socket}\n`);
  const child = start(haproxy, '-db', '-f', admin, '-f', config);
  const command = (line: string) => {
    const stream = connect(socket);
    stream.end(`${line}\n`);
    return text(stream);
  };
  return { url: `http://127.0.0.1:${port}`, command, child };
}

test(
  'HAProxy with 30 instances uses 30, and follows a change',
  { timeout: 60_000 },
  async (context) => {
    const haproxy = need(context, 'haproxy', 'haproxy');
    const web = new WebInstances();
    const endpoints = await web.startAll(names(0, 35));
    const first = snapshot('web', { endpoints: endpoints.slice(0, 30) });
    const { catalog, address } = await startServer([first], '--host=127.0.0.1', '--host=127.0.0.2');
    const { url, command, child } = await startHaproxy(haproxy, address.port);
    const isUsing = (wanted: readonly string[]) =>
      until(
        async () => {
          const seen = await answering(url, 60);
          return wanted.length === seen.size && wanted.every((name) => seen.has(name));
        },
        {
          withinMs: 20_000,
          everyMs: 100,
          what: `these in use:\n${wanted.join()}\n${child.output}`,
        },
      );
    await isUsing(names(0, 30));
    // Weight 100 at the registry is weight 100 there.
    const state = (await command('show servers state web')).trim().split('\n').slice(2);
    expect(state.map((line) => line.split(' ')[7])).toEqual(names(0, 30).map(() => '100'));
    catalog.put(snapshot('web', { endpoints: endpoints.slice(5) }));
    await isUsing(names(5, 35));
  },
);

test(
  'HAProxy keeps its servers while the DNS server is cold',
  { timeout: 60_000 },
  async (context) => {
    const haproxy = need(context, 'haproxy', 'haproxy');
    const web = new WebInstances();
    const endpoints = await web.startAll(names(0, 3));
    const first = snapshot('web', { endpoints });
    const { catalog, address } = await startServer([first], '--host=127.0.0.1', '--host=127.0.0.2');
    const { url, command } = await startHaproxy(haproxy, address.port);
    await until(async () => (await answering(url, 12)).size === 3, { withinMs: 20_000 });
    catalog.isReady = false;
    const errors = async () => {
      const lines = (await command('show resolvers rollcall')).matchAll(/other: *(\d+)/g);
      return Array.from(lines, ([, count]) => Number(count)).reduce((a, b) => a + b, 0);
    };
    // As many as there are in several times the hold time of what is obsolete.
    const before = await errors();
    await until(async () => (await errors()) > before + 10, { withinMs: 30_000 });
    expect((await answering(url, 12)).size).toBe(3);
  },
);
