import { afterEach, beforeEach, expect, test } from 'vitest';
import { NGINX } from '../testing/manifests.ts';
import { TestCli } from '../testing/test-cli.ts';

let cli: TestCli;

beforeEach(async () => {
  cli = await TestCli.start();
  await cli.apply(NGINX.replace('spec:', 'spec:\n  type: LoadBalancer'));
});
afterEach(() => cli.close());

const ADDRESS = '{"status":{"loadBalancer":{"ingress":[{"ip":"203.0.113.7"}]}}}';

const addressesOf = () =>
  cli.out('get', 'svc', 'nginx', '-o', 'jsonpath={.status.loadBalancer.ingress}');

const patchStatus = (...argv: string[]) =>
  cli.run('patch', 'svc', 'nginx', '--subresource=status', ...argv);

test('a patch of the status changes the status, and nothing else', async () => {
  const patch = JSON.stringify({ ...JSON.parse(ADDRESS), spec: { type: 'ClusterIP' } });
  expect(await patchStatus('-p', patch)).toEqual({
    code: 0,
    out: 'service/nginx patched\n',
    err: '',
  });
  expect(await addressesOf()).toBe('[{"ip":"203.0.113.7","ipMode":"VIP"}]');
  expect(await cli.out('get', 'svc', 'nginx', '-o', 'jsonpath={.spec.type}')).toBe('LoadBalancer');
  expect((await patchStatus('-p', patch)).out).toBe('service/nginx patched (no change)\n');
});

test('without the option, a patch of the status changes nothing', async () => {
  expect((await cli.run('patch', 'svc', 'nginx', '-p', ADDRESS)).out).toBe(
    'service/nginx patched (no change)\n',
  );
  expect(await addressesOf()).toBe('');
});

test('conditions are merged by their types, and steps of a JSON patch are taken in the status', async () => {
  const condition = (type: string, status: string) =>
    JSON.stringify({ status: { conditions: [{ type, status, reason: 'R', message: '' }] } });
  await patchStatus('-p', condition('a', 'True'));
  await patchStatus('-p', condition('b', 'False'));
  await patchStatus('-p', condition('a', 'False'));
  const types = 'jsonpath={range .status.conditions[*]}{.type}={.status} {end}';
  expect(await cli.out('get', 'svc', 'nginx', '-o', types)).toBe('b=False a=False ');
  const steps = [{ op: 'remove', path: '/status/conditions/1' }];
  const { code } = await patchStatus('--type=json', '-p', JSON.stringify(steps));
  expect(code).toBe(0);
  expect(await cli.out('get', 'svc', 'nginx', '-o', types)).toBe('b=False ');
});

test('what is shown can be put back, whole or as the status', async () => {
  await patchStatus('-p', ADDRESS);
  const shown = await cli.out('get', 'svc', 'nginx', '--subresource=status', '-o', 'yaml');
  expect(shown).toContain('ip: 203.0.113.7');
  for (const argv of [[], ['--subresource=status']]) {
    const reply = await cli.runWith({ stdin: shown }, 'replace', '-f', '-', ...argv);
    expect(reply).toEqual({ code: 0, out: 'service/nginx replaced\n', err: '' });
  }
  expect(await cli.out('get', 'svc', 'nginx', '-o', 'yaml')).toBe(shown);
  const other = shown.replace('203.0.113.7', '203.0.113.8').replace(/^ *resourceVersion.*\n/m, '');
  await cli.runWith({ stdin: other }, 'replace', '-f', '-');
  expect(await addressesOf()).toContain('203.0.113.7');
  await cli.runWith({ stdin: other }, 'replace', '-f', '-', '--subresource=status');
  expect(await addressesOf()).toContain('203.0.113.8');
});

test('a status that is not valid is refused with its field', async () => {
  const wrong = ADDRESS.replace('203.0.113.7', 'nowhere');
  const { code, err } = await patchStatus('-p', wrong);
  expect(code).toBe(1);
  expect(err).toContain(
    'status.loadBalancer.ingress[0].ip: Invalid value: "nowhere": must be a valid IP address',
  );
});

test.each<[argv: string[], err: string]>([
  [
    ['get', 'svc', 'nginx', '--subresource=scale'],
    'error: invalid subresource value: "scale". Must be one of [status]\n',
  ],
  [
    ['get', 'ep', 'nginx', '--subresource=status'],
    'endpoints/status: the server could not find the requested resource: they have no status\n',
  ],
])('%j', async (argv, err) => {
  const reply = await cli.run(...argv);
  expect(reply.code).not.toBe(0);
  expect(reply.err).toContain(err.trim());
});

test('the status can be edited', async () => {
  await patchStatus('-p', ADDRESS);
  const env = { EDITOR: 'sed -i s/203.0.113.7/203.0.113.9/' };
  const argv = ['edit', 'svc', 'nginx', '--subresource=status'];
  expect((await cli.runWith({ env }, ...argv)).out).toBe('service/nginx edited\n');
  expect(await addressesOf()).toBe('[{"ip":"203.0.113.9","ipMode":"VIP"}]');
});

test('who wrote is shown when it is asked for', async () => {
  await cli.run('label', 'svc', 'nginx', 'a=b', '--field-manager=alice');
  await cli.run('patch', 'svc', 'nginx', '-p', '{"spec":{"ports":[{"port":8080,"name":"http"}]}}');
  await patchStatus('-p', ADDRESS);
  expect(await cli.out('get', 'svc', 'nginx', '-o', 'yaml')).not.toContain('manager');
  const shown = await cli.out('get', 'svc', 'nginx', '-o', 'yaml', '--show-managed-fields');
  const names = [...shown.matchAll(/manager: (.*)/g)].map(([, name]) => name);
  expect(names).toEqual(['rollcall-apply', 'alice', 'rollcall-patch', 'rollcall-patch']);
  expect(shown).toContain('subresource: status');
});

test('a deletion waits for finalizers, unless it is told not to', async () => {
  const finalizers = (names: string[]) => JSON.stringify({ metadata: { finalizers: names } });
  await cli.run('patch', 'svc', 'nginx', '-p', finalizers(['acme.io/a']));
  const late = await cli.run('delete', 'svc', 'nginx', '--timeout=200ms');
  expect(late).toEqual({
    code: 1,
    out: 'service "nginx" deleted\n',
    err: 'error: timed out waiting for the condition on services/nginx\n',
  });
  const unwaited = await cli.run('delete', 'svc', 'nginx', '--wait=false');
  expect(unwaited).toEqual({ code: 0, out: 'service "nginx" deleted\n', err: '' });
  const deleting = cli.run('delete', 'svc', 'nginx');
  await cli.run('patch', 'svc', 'nginx', '--type=merge', '-p', finalizers([]));
  expect((await deleting).code).toBe(0);
  expect((await cli.run('get', 'svc', 'nginx')).code).toBe(1);
});

test('--cascade says what happens to owned objects', async () => {
  const uid = await cli.out('get', 'svc', 'nginx', '-o', 'jsonpath={.metadata.uid}');
  await cli.apply(`apiVersion: v1
kind: Endpoints
metadata:
  name: owned
  ownerReferences: [{ apiVersion: v1, kind: Service, name: nginx, uid: ${uid} }]
`);
  const wrong = await cli.run('delete', 'svc', 'nginx', '--cascade=up');
  expect(wrong.err).toContain('invalid cascade value (up)');
  expect((await cli.run('delete', 'svc', 'nginx', '--cascade=orphan')).code).toBe(0);
  const owners = 'jsonpath={.metadata.name}{.metadata.ownerReferences}';
  expect(await cli.out('get', 'ep', 'owned', '-o', owners)).toBe('owned');
});
