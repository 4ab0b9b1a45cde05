import { afterAll, beforeAll, expect, test } from 'vitest';
import { TestCli } from '../testing/test-cli.ts';

let cli: TestCli;

beforeAll(async () => {
  cli = await TestCli.start();
});
afterAll(() => cli.close());

const create = (...argv: string[]) => cli.run('create', 'ingress', ...argv);

/** What would be created. */
async function shown(...argv: string[]) {
  const dry = ['--dry-run=client', '-o', 'json'];
  return JSON.parse(await cli.out('create', 'ing', ...argv, ...dry)) as Record<string, unknown>;
}

const backend = (name: string, port: object) => ({ service: { name, port } });

test('rules of one host are one rule; a star means all paths that begin so', async () => {
  const rules = ['--rule=a.test/=web:80', '--rule=b.test/x*=web:http', '--rule=a.test/y=api:8080'];
  expect(await shown('shop', '--class=rollcall', ...rules)).toEqual({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name: 'shop' },
    spec: {
      ingressClassName: 'rollcall',
      rules: [
        {
          host: 'a.test',
          http: {
            paths: [
              { path: '/', pathType: 'Exact', backend: backend('web', { number: 80 }) },
              { path: '/y', pathType: 'Exact', backend: backend('api', { number: 8080 }) },
            ],
          },
        },
        {
          host: 'b.test',
          http: {
            paths: [{ path: '/x', pathType: 'Prefix', backend: backend('web', { name: 'http' }) }],
          },
        },
      ],
    },
    status: { loadBalancer: {} },
  });
});

test('hosts of one secret are together; the first secret of a host counts', async () => {
  const rule = (text: string) => `--rule=${text}`;
  const { spec } = await shown(
    'shop',
    rule('a.test/=web:80,tls=one'),
    rule('b.test/=web:80,tls'),
    rule('c.test/=web:80,tls=one'),
    rule('a.test/x=web:80,tls=two'),
    rule('d.test/=web:80'),
    rule('/=web:80,tls='),
  );
  expect(spec).toMatchObject({
    tls: [{ hosts: ['a.test', 'c.test'], secretName: 'one' }, { hosts: ['b.test'] }],
  });
});

test('a default backend and annotations are declared', async () => {
  const annotations = ['--annotation=a=b=c', '--annotation=d='];
  expect(await create('all', '--default-backend=web:http', ...annotations)).toMatchObject({
    code: 0,
    out: 'ingress.networking.k8s.io/all created\n',
  });
  const path = 'jsonpath={.metadata.annotations} {.spec}';
  expect(await cli.out('get', 'ing', 'all', '-o', path)).toBe(
    '{"a":"b=c","d":""} {"defaultBackend":{"service":{"name":"web","port":{"name":"http"}}}}',
  );
});

test.each([
  [['x'], 'not enough information provided: every ingress has to either specify'],
  [['x', '--default-backend=web'], 'default-backend should be in format servicename:serviceport'],
  [['x', '--default-backend=a:1:2'], 'default-backend should be in format'],
  [['x', '--default-backend=a:1', '--annotation=k'], 'annotation k is invalid and should be in'],
  [
    ['x', '--rule=a.test=web:80'],
    'rule a.test=web:80 is invalid and should be in format host/path=svcname:svcport[,tls[=secret]]',
  ],
  [['x', '--rule=a.test/=web'], 'rule a.test/=web is invalid'],
  [['x', '--rule=/=web:80,ssl'], 'rule /=web:80,ssl is invalid'],
  [['--rule=/=web:80'], 'exactly one NAME is required, got 0'],
])('%j is a wrong command line', async (argv, message) => {
  const { code, out, err } = await create(...argv);
  expect({ code, out }).toEqual({ code: 2, out: '' });
  expect(err).toContain(`error: ${message}`);
});
