import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { TestCli } from '../testing/test-cli.ts';

const NGINX = `apiVersion: v1
kind: Service
metadata: { name: nginx }
spec: { selector: { app: nginx }, ports: [{ port: 80 }] }
`;

const clis: TestCli[] = [];

afterEach(async () => {
  for (const cli of clis.splice(0)) await cli.close();
});

async function start(): Promise<TestCli> {
  const cli = await TestCli.start();
  clis.push(cli);
  return cli;
}

test('what one registry exports another imports, and shows what it would do first', async () => {
  const one = await start();
  await one.apply(NGINX);
  const file = join(one.folder, 'backup.json');
  expect(await one.out('export', '-f', file)).toBe(
    'exported 1 object and 0 instances to backup.json\n',
  );
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(await one.out('export')).toBe(readFileSync(file, 'utf8'));
  const other = await start();
  const dry = await other.out('import', '-f', file, '--dry-run');
  expect(dry).toBe('service/default/nginx imported (dry run)\n');
  expect((await other.run('get', 'svc', 'nginx')).code).toBe(1);
  expect(await other.out('import', '-f', file)).toBe('service/default/nginx imported\n');
  expect(await other.out('import', '-f', file)).toBe('1 unchanged\n');
  const address = (cli: TestCli) => cli.out('get', 'svc', 'nginx', '-o=jsonpath={.spec.clusterIP}');
  expect(await address(other)).toBe(await address(one));
});

test('what was deleted since stays so, unless it is to be replaced', async () => {
  const cli = await start();
  await cli.apply(NGINX);
  const stdin = await cli.out('export');
  await cli.out('delete', 'svc', 'nginx');
  const load = async (...flags: string[]) =>
    (await cli.runWith({ stdin }, 'import', '-f', '-', ...flags)).out;
  expect(await load()).toBe('service/default/nginx skipped: it was deleted after the export\n');
  expect(await load('--replace')).toBe('service/default/nginx imported\n');
});

test('a damaged file is refused with what is wrong, one that cannot be read or written is named', async () => {
  const cli = await start();
  await cli.apply(NGINX);
  const text = await cli.out('export');
  const load = (stdin: string) => cli.runWith({ stdin }, 'import', '-f', '-');
  expect(await load(text.slice(0, 100))).toMatchObject({
    code: 1,
    err: expect.stringContaining('it may be cut short') as string,
  });
  expect((await load(text.replace('nginx', 'nginy'))).err).toContain('expected checksum sha256:');
  expect((await cli.run('import', '-f', '/no/such/file')).err).toContain('/no/such/file');
  expect((await cli.run('export', '-f', '/no/such/file')).err).toContain('/no/such/file');
  expect(await cli.run('import')).toMatchObject({ code: 2 });
});
