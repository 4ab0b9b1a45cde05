import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { NGINX, serviceText } from '../testing/manifests.ts';
import { TestCli } from '../testing/test-cli.ts';

let cli: TestCli;

beforeAll(async () => {
  cli = await TestCli.start();
  const ports = [{ port: 80 }];
  await cli.apply(
    [
      NGINX,
      serviceText('np', { type: 'NodePort', clusterIP: '127.96.9.2', ports }),
      serviceText('headless', { clusterIP: 'None', selector: { app: 'nginx' }, ports }),
      serviceText(
        'db',
        { type: 'ExternalName', externalName: 'db.example' },
        { namespace: 'prod' },
      ),
    ].join('---\n'),
  );
  await cli.register('web/w', 8080, { status: 'starting' });
});
afterAll(() => cli.close());

describe('choosing by fields', () => {
  test('those that the API server of Kubernetes knows', async () => {
    const names = async (...argv: string[]) =>
      (await cli.out('get', ...argv, '-o', 'name')).trim().split('\n');
    const fields = (text: string) => names('svc', '--field-selector', text);
    expect(await fields('metadata.name=np')).toEqual(['service/np']);
    expect(await fields('spec.clusterIP=127.96.9.2')).toEqual(['service/np']);
    expect(await fields('spec.clusterIP==None,metadata.name!=web')).toEqual(['service/headless']);
    expect(await fields('metadata.namespace!=default')).toEqual(['']);
    expect(await names('svc', '-A', '--field-selector=spec.clusterIP=')).toEqual(['service/db']);
    expect(await names('ep', '--field-selector=metadata.name=nginx')).toEqual(['endpoints/nginx']);
  });

  test('events by their object, reason and type', async () => {
    const fields = 'involvedObject.kind=Service,involvedObject.name=np,reason=Created,type=Normal';
    const rows = await cli.out('get', 'events', '--field-selector', fields, '--no-headers');
    expect(rows.trim().split('\n')).toEqual([expect.stringContaining('   service/np ')]);
    const none = await cli.run('get', 'events', '--field-selector', `${fields},type!=Normal`);
    expect(none.err).toBe('No resources found in default namespace.\n');
    const from = await cli.out(
      'get',
      'events',
      '--field-selector=source!=rollcall-registry',
      '-o',
      'name',
    );
    expect(from).toBe('');
  });

  test.each([
    ['svc', 'spec.foo=x', '/v1, Resource=services', 'spec.foo'],
    ['svc', 'spec.type=NodePort,status=x', '/v1, Resource=services', 'status'],
    ['ep', 'subsets=x', '/v1, Resource=endpoints', 'subsets'],
    [
      'endpointslices',
      'addressType!=IPv4',
      'discovery.k8s.io/v1, Resource=endpointslices',
      'addressType',
    ],
  ])('%s by %s: no such field', async (type, text, resource, field) => {
    const error = `Error from server (BadRequest): Unable to find "${resource}" that match label selector "a=b", field selector "${text}": field label not supported: ${field}\n`;
    for (const more of [[], ['-w']]) {
      const argv = ['get', type, '-l', 'a=b', '--field-selector', text, ...more];
      expect(await cli.run(...argv)).toEqual({ code: 1, out: '', err: error });
    }
  });

  test('names and a selector exclude each other', async () => {
    for (const option of ['--field-selector=metadata.name=np', '-lapp=nginx']) {
      expect(await cli.run('get', 'svc', 'np', option)).toEqual({
        code: 2,
        out: '',
        err: 'error: name cannot be provided when a selector is specified\n',
      });
    }
  });
});
