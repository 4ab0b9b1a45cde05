import { expect, test } from 'vitest';
import { FileBench, type FileParts } from './testing/file-bench.ts';
import { TlsFiles } from './testing/tls-files.ts';

const WHY = 'TLS cannot be added, changed, moved or removed while the balancer runs: restart it';
const fixed = (body: string) => `default: { fixedResponse: { status: 200, body: ${body} } }`;
const plain = (body: string) => `{ name: web, port: 0, ${fixed(body)} }`;

function listeners(files: TlsFiles) {
  const { cert, key } = files.issue('shop', { names: ['shop.example'] }).files;
  const secure = (body: string, more = '') =>
    `{ name: tls, port: 0, protocol: https, tls: { certificates: [{ cert: ${cert}, key: ${key} }]${more} }, ${fixed(body)} }`;
  return { secure };
}

const GROUP = '{ hello: { service: hello, scheme: https } }';

test('rules of listeners with TLS are changed under way, on open sockets', async () => {
  const { secure } = listeners(new TlsFiles());
  const bench = await FileBench.start({
    listeners: `[${plain('one')}, ${secure('one')}]`,
    targetGroups: GROUP,
  });
  const port = bench.port('tls');
  const result = await bench.apply({
    listeners: `[${plain('two')}, ${secure('two')}]`,
    targetGroups: GROUP,
  });
  expect(result).toMatchObject({ result: 'applied' });
  expect(bench.port('tls')).toBe(port);
  expect(await (await fetch(bench.url())).text()).toBe('two');
});

test.each<[string, string, (secure: (body: string, more?: string) => string) => FileParts]>([
  [
    'added',
    'listeners',
    (secure) => ({
      listeners: `[${secure('a')}, ${plain('a').replace('web', 'x')}, ${secure('a').replace('name: tls', 'name: tls2')}]`,
      targetGroups: GROUP,
    }),
  ],
  ['removed', 'listeners', () => ({ listeners: `[${plain('a')}]`, targetGroups: GROUP })],
  [
    'changed',
    'listeners',
    (secure) => ({ listeners: `[${secure('a', ', minVersion: TLSv1.3')}]`, targetGroups: GROUP }),
  ],
  [
    'group to plain',
    'targetGroups',
    (secure) => ({ listeners: `[${secure('a')}]`, targetGroups: '{ hello: { service: hello } }' }),
  ],
  [
    'group to another service',
    'targetGroups',
    (secure) => ({
      listeners: `[${secure('a')}]`,
      targetGroups: '{ hello: { service: other, scheme: https } }',
    }),
  ],
])('refused whole: TLS %s', async (_, key, change) => {
  const { secure } = listeners(new TlsFiles());
  const bench = await FileBench.start({ listeners: `[${secure('a')}]`, targetGroups: GROUP });
  const before = bench.url('tls');
  const result = await bench.apply(change(secure));
  expect(result).toMatchObject({ result: 'refused' });
  expect(JSON.stringify(result)).toContain(`${key}: ${WHY}`);
  expect(bench.url('tls')).toBe(before);
});
