import { afterEach, beforeEach, expect, test } from 'vitest';
import { NGINX, serviceText } from '../testing/manifests.ts';
import { TestCli } from '../testing/test-cli.ts';

let cli: TestCli;

beforeEach(async () => {
  cli = await TestCli.start();
  await cli.apply(`${NGINX}---\n${serviceText('np', { type: 'NodePort', ports: [{ port: 80 }] })}`);
});
afterEach(() => cli.close());

const left = async () => (await cli.out('get', 'svc', '-o', 'name')).trim().split('\n');

test('services are deleted by their fields', async () => {
  expect(await cli.out('delete', 'svc', '--field-selector', 'spec.type=NodePort')).toBe(
    'service "np" deleted\n',
  );
  expect(await left()).toEqual(['service/nginx', 'service/rollcall']);
  const both = ['-l', 'app=nginx', '--field-selector=metadata.name!=nginx'];
  expect(await cli.out('delete', 'svc', ...both)).toBe('No resources found\n');
});

test.each([
  [['svc,ep', '--field-selector=spec.type=NodePort'], 'field label not supported: spec.type', 1],
  [
    ['svc', 'np', '--field-selector=metadata.name=np'],
    'name cannot be provided when a selector',
    2,
  ],
])('%j deletes nothing', async (argv, message, code) => {
  const before = await left();
  const ended = await cli.run('delete', ...argv);
  expect(ended).toMatchObject({ code, out: '' });
  expect(ended.err).toContain(message);
  expect(await left()).toEqual(before);
});
