import { expect, test } from 'vitest';
import { jsonPathText, valuesAt } from './jsonpath.ts';

const LIST = {
  kind: 'List',
  items: [
    {
      kind: 'Service',
      metadata: { name: 'a', labels: { 'app.kubernetes.io/name': 'x' } },
      spec: { ports: [{ port: 80, nodePort: 30_001 }, { port: 443 }], clusterIP: '127.96.1.1' },
    },
    { kind: 'Service', metadata: { name: 'b' }, spec: { ports: [{ port: 81 }] } },
  ],
};

test.each([
  ['{.kind}', 'List'],
  ['{.items[0].metadata.name}', 'a'],
  ['{.items[*].metadata.name}', 'a b'],
  ['{.items[-1].metadata.name}', 'b'],
  ['{.items[0:1].metadata.name}', 'a'],
  ['{.items[0,1].metadata.name}', 'a b'],
  ['{.items[0].metadata.labels.app\\.kubernetes\\.io/name}', 'x'],
  ["{.items[0].metadata.labels['app.kubernetes.io/name']}", 'x'],
  ['{range .items[*]}{.metadata.name}{"\\t"}{.spec.ports[0].port}{"\\n"}{end}', 'a\t80\nb\t81\n'],
  ['{.items[?(@.metadata.name=="b")].spec.ports[0].port}', '81'],
  ['{.items[*].spec.ports[?(@.nodePort)].nodePort}', '30001'],
  ['{.items[*].spec.ports[?(@.port>80)].port}', '443 81'],
  ['{..nodePort}', '30001'],
  ['{.items[0].spec.ports[0]}', '{"port":80,"nodePort":30001}'],
  ['{.nothing}', ''],
  ['name: {.items[0].metadata.name}!', 'name: a!'],
  ['.kind', 'List'],
])('%s gives %j', (template, text) => {
  expect(jsonPathText(template, LIST)).toBe(text);
});

test.each([['{.kind'], ['{range .items[*]}x'], ['{end}'], ['{.items[}']])(
  '%s is refused with its text',
  (template) => {
    expect(() => jsonPathText(template, LIST)).toThrow(template);
  },
);

test('a bare path is taken as custom columns take it', () => {
  expect(valuesAt('.items[0].spec.clusterIP', LIST)).toEqual(['127.96.1.1']);
  expect(valuesAt('items[1].metadata.name', LIST)).toEqual(['b']);
});
