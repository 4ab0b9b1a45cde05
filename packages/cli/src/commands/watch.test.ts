import { afterEach, beforeEach, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { until } from '@rollcall/testkit';
import { NGINX } from '../testing/manifests.ts';
import { TestCli } from '../testing/test-cli.ts';

let cli: TestCli;

beforeEach(async () => {
  cli = await TestCli.start();
});
afterEach(() => cli.close());

test('endpoints are shown, then each change, then what goes as it was last', async () => {
  await cli.apply(NGINX);
  const watch = cli.start('get', 'ep', 'nginx', '-w');
  await watch.printed(/^NAME +ENDPOINTS +AGE\nnginx +<none> +20m\n/);
  const one = await cli.register('nginx/a', 3001, { address: '127.0.0.1' });
  await watch.printed(/\nnginx +127\.0\.0\.1:3001 +20m\n/);
  await one.close();
  await watch.printed(/3001 +20m\nnginx +<none> +20m\n/);
  await cli.out('delete', 'svc', 'nginx');
  await watch.printed(/(nginx +<none> +20m\n){2}/);
  expect(watch.out.match(/NAME/g)).toHaveLength(1);
  expect(await watch.stop()).toBe(0);
});

test('services of every namespace, chosen by label, without headings', async () => {
  const watch = cli.start('get', 'svc', '-A', '-w', '-l', 'app=nginx', '--no-headers');
  await cli.apply(NGINX.replace('name: nginx', 'name: nginx\n  namespace: shop'));
  await watch.printed(/^shop +nginx +ClusterIP/);
  await cli.out('annotate', 'svc', 'nginx', 'a=b', '-n', 'shop');
  await watch.printed(/(shop +nginx +ClusterIP.*\n){2}/);
  await watch.stop();
  expect(watch.out).not.toMatch(/NAME|rollcall/);
});

test('YAML is a stream of documents', async () => {
  await cli.apply(NGINX);
  const watch = cli.start('get', 'svc', 'nginx', '-w', '-o', 'yaml');
  await watch.printed(/kind: Service/);
  for (const value of ['one', 'two']) {
    await cli.out('annotate', '--overwrite', 'svc', 'nginx', `a=${value}`);
    await watch.printed(new RegExp(`a: ${value}`));
  }
  await watch.stop();
  const documents = parseAllDocuments(watch.out).map((document) => document.toJS() as object);
  expect(documents).toHaveLength(3);
  expect(documents[2]).toMatchObject({ kind: 'Service', metadata: { annotations: { a: 'two' } } });
});

test('only what changes later is shown, if that is asked for', async () => {
  await cli.apply(NGINX);
  const argv = ['get', 'svc', 'nginx', '--watch-only', '--show-kind', '-L', 'turn'];
  const watch = cli.start(...argv, '--no-headers');
  let turn = 0;
  // The first look may be later than the first change.
  await until(async () => {
    await cli.out('label', '--overwrite', 'svc', 'nginx', `turn=t${++turn}`);
    return watch.out !== '';
  });
  expect(await watch.stop()).toBe(0);
  for (const line of watch.out.trim().split('\n'))
    expect(line).toMatch(/^service\/nginx +ClusterIP .* +t\d+$/);
});

test('one type alone can be watched', async () => {
  const { code, err } = await cli.run('get', 'svc,ep', '-w');
  expect(code).toBe(2);
  expect(err).toBe('error: you may only specify a single resource type with --watch\n');
});

test('events go on being shown', async () => {
  const watch = cli.start('events', '-w', '--for', 'svc/nginx');
  await cli.apply(NGINX);
  await watch.printed(/Created +service\/nginx +Service nginx was declared\n/);
  const registration = await cli.register('nginx/a', 3001);
  await watch.printed(/Registered +instance\/nginx\/a +it registered\n/);
  await registration.deregister();
  await watch.printed(/Deregistered +instance\/nginx\/a +\S/);
  await cli.register('nginx/b', 3002);
  await watch.printed(/Registered +instance\/nginx\/b +it registered\n/);
  expect(await watch.stop()).toBe(0);
  expect(watch.out.match(/Created/g)).toHaveLength(1);
  // Later rows stand in the columns of those before.
  const rows = watch.out.split('\n').filter((line) => line.includes('instance/nginx'));
  const columns = rows.slice(1).map((line) => line.search(/instance\/nginx/));
  expect(columns).toEqual([columns[0], columns[0]]);
});
