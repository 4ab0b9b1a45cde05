import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort, until } from '@rollcall/testkit';
import { test } from 'vitest';
import { need, start, testFolder, writeExample } from './testing/programs.ts';
import { startServer } from './testing/running-server.ts';
import { snapshot } from './testing/snapshots.ts';
import { WebInstances, answering } from './testing/web-instances.ts';

/** Where it is built to write belongs to root. */
function ownFiles(folder: string): string {
  const kinds = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  const paths = kinds.map((kind) => `${kind}_temp_path ${join(folder, 'temp', kind)};`);
  return ['access_log off;', ...paths].join(' ');
}

test('nginx uses every instance and follows a change', { timeout: 60_000 }, async (context) => {
  const nginx = need(context, 'nginx', 'nginx-light');
  const web = new WebInstances();
  const port = await freePort();
  const endpoints = await Promise.all(
    [1, 2, 3].map((i) => web.start(`web-${i}`, `127.0.3.${i}`, port)),
  );
  const first = snapshot('web', { endpoints: endpoints.slice(0, 2) });
  const { catalog, address } = await startServer([first], '--host=127.0.0.1', '--host=127.0.0.2');
  const into = await testFolder();
  const own = await freePort();
  const config = await writeExample('nginx.conf', into, {
    '127.0.0.1:8053': `127.0.0.1:${address.port}`,
    '127.0.0.2:8053': `127.0.0.2:${address.port}`,
    '127.0.0.1:8080': `127.0.0.1:${own}`,
    '$web:3000': `$web:${port}`,
    'resolver_timeout 2s;': `resolver_timeout 2s; ${ownFiles(into)}`,
  });
  await mkdir(join(into, 'temp'));
  const globals = `daemon off; master_process off; pid ${into}/pid; error_log stderr;`;
  const child = start(nginx, '-p', into, '-c', config, '-g', globals);
  const isUsing = (...wanted: string[]) =>
    until(
      async () => {
        const seen = await answering(`http://127.0.0.1:${own}`, 20);
        return wanted.length === seen.size && wanted.every((name) => seen.has(name));
      },
      { withinMs: 20_000, everyMs: 100, what: `${wanted.join()} in use:\n${child.output}` },
    );
  await isUsing('web-1', 'web-2');
  catalog.put(snapshot('web', { endpoints: endpoints.slice(1) }));
  await isUsing('web-2', 'web-3');
});
