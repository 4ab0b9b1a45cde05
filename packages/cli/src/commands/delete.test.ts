import { afterEach, beforeEach, expect, test } from 'vitest';
import { DEPLOYMENT, NGINX, serviceText } from '../testing/manifests.ts';
import { TestCli } from '../testing/test-cli.ts';

let cli: TestCli;

beforeEach(async () => {
  cli = await TestCli.start();
  await cli.apply(`${NGINX}---\n${NGINX.replace('name: nginx', 'name: two')}---\n${DEPLOYMENT}`);
});
afterEach(() => cli.close());

const declared = async () => (await cli.out('get', 'svc,deploy', '-o', 'name')).trim().split('\n');

test.each<[argv: string[], out: string]>([
  [['svc', 'nginx', 'two'], 'service "nginx" deleted\nservice "two" deleted\n'],
  [
    ['svc/nginx', 'deploy/hello-world'],
    'service "nginx" deleted\ndeployment.apps "hello-world" deleted\n',
  ],
  [['svc', '-l', 'app=nginx'], 'service "nginx" deleted\nservice "two" deleted\n'],
  [['svc,deploy', '-l', 'app=nginx'], 'service "nginx" deleted\nservice "two" deleted\n'],
  [['deploy', '--all'], 'deployment.apps "hello-world" deleted\n'],
  [['svc', '-l', 'app=other'], 'No resources found\n'],
])('delete %j', async (argv, out) => {
  const before = await declared();
  expect(await cli.run('delete', ...argv)).toEqual({ code: 0, out, err: '' });
  expect(await declared()).toHaveLength(before.length - (out.match(/deleted/g) ?? []).length);
});

test('the Endpoints that went with their service are not missing', async () => {
  const endpoints = { subsets: [{ addresses: [{ ip: '10.0.0.1' }], ports: [{ port: 80 }] }] };
  const metadata = { name: 'manual' };
  await cli.apply(`${serviceText('manual', { ports: [{ port: 80 }] })}---
${JSON.stringify({ apiVersion: 'v1', kind: 'Endpoints', metadata, ...endpoints })}`);
  const both = 'service "manual" deleted\nendpoints "manual" deleted\n';
  const argv = ['delete', 'svc/manual', 'ep/manual'];
  expect(await cli.run(...argv)).toEqual({ code: 0, out: both, err: '' });
  expect((await cli.run(...argv)).code).toBe(1);
  expect((await cli.run('delete', 'ep/nginx')).code).toBe(1);
  expect(await cli.out('get', 'svc,ep', '-A', '-o', 'name')).not.toContain('manual');
});

test('what went with its owner is not missing when it was selected, not named', async () => {
  const uid = await cli.out('get', 'svc', 'nginx', '-o', 'jsonpath={.metadata.uid}');
  const owner = { apiVersion: 'v1', kind: 'Service', name: 'nginx', uid };
  const metadata = { ownerReferences: [owner] };
  await cli.apply(serviceText('owned', { ports: [{ port: 80 }] }, metadata));
  const { code, err } = await cli.run('delete', 'svc', '--all', '--cascade=foreground');
  expect([code, err]).toEqual([0, '']);
  expect(await cli.out('get', 'svc', '-o', 'name')).not.toContain('owned');
});

test('what files say; once more, it is gone', async () => {
  const file = cli.file('all.yaml', `${NGINX}---\n${DEPLOYMENT}`);
  expect(await cli.out('delete', '-f', file)).toBe(
    'service "nginx" deleted\ndeployment.apps "hello-world" deleted\n',
  );
  expect(await cli.run('delete', '-f', file)).toEqual({
    code: 1,
    out: '',
    err: `Error from server (NotFound): services "nginx" not found
Error from server (NotFound): deployments.apps "hello-world" not found
`,
  });
  expect((await cli.run('delete', '-f', file, '--ignore-not-found')).code).toBe(0);
});

test('an instance goes off the roll', async () => {
  const one = await cli.register('web/a', 8080);
  expect(await cli.out('delete', 'instance', 'web/a')).toBe('instance "a" deleted\n');
  expect((await cli.run('get', 'instance', 'web/a')).code).toBe(1);
  await one.close();
});

test.each([
  ['delete', 'ns', 'default'],
  ['delete', 'events', '--all'],
  ['label', 'ns', 'default', 'a=b'],
  ['patch', 'ns', 'default', '-p', '{}'],
  ['edit', 'ns', 'default'],
])('%s %s: what comes of other things is not written', async (...argv) => {
  const { code, err } = await cli.run(...argv);
  expect(code).toBe(1);
  expect(err).toMatch(
    /^error: (namespaces|events) are derived from other objects and cannot be changed\n$/,
  );
});

test('a type without a name is not enough', async () => {
  const { code, err } = await cli.run('delete', 'svc');
  expect({ code, err }).toEqual({
    code: 2,
    err: 'error: resource(s) were provided, but no name was specified\n',
  });
});
