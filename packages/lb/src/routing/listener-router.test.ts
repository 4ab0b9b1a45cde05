import { systemClock, systemRandom } from '@rollcall/runtime';
import { expect, test } from 'vitest';
import { parseConfig } from '../config/config-file.ts';
import type { LiveTargetGroup } from '../groups/target-group.ts';
import { KeptParts } from './kept-parts.ts';
import { ListenerRouter } from './listener-router.ts';

const CONFIG = `registry: { url: http://127.0.0.1:7400 }
listeners:
  - name: web
    port: 0
    rules:
      - { path: /api/*, targetGroup: api }
      - { path: /api/v2/*, targetGroup: api-v2 }
      - { path: /api/v2/exact, targetGroup: exact }
      - { host: shop.example, path: /api/*, targetGroup: shop-api }
      - { host: Shop.example., path: /only, targetGroup: shop-only }
      - { host: "*.example", targetGroup: any-example }
      - { host: "*.deep.example", targetGroup: deep-example }
      - { host: gone.test, fixedResponse: { status: 410, body: gone } }
    default: { targetGroup: other }
targetGroups:
${['api', 'api-v2', 'exact', 'shop-api', 'shop-only', 'any-example', 'deep-example', 'other']
  .map((name) => `  ${name}: { service: x }`)
  .join('\n')}
`;

const PLAIN = { requestId: '', isSecure: false, rule: '', field: () => undefined };

function createRouter() {
  const config = parseConfig(CONFIG, 'lb.yaml', {});
  const groups = new Map(
    Object.entries(config.targetGroups).map(([name, own]) => {
      return [name, { name, config: own } as LiveTargetGroup] as const;
    }),
  );
  return new ListenerRouter(config.listeners[0]!, {
    groups,
    httpsPort: () => 443,
    kept: new KeptParts(),
    cookieKey: Buffer.alloc(32),
    clock: systemClock,
    random: systemRandom.share,
  });
}

test.each([
  ['a.test', '/', 'other'],
  ['a.test', '/api', 'api'],
  ['a.test', '/api/', 'api'],
  ['a.test', '/api/v1', 'api'],
  ['a.test', '/apix', 'other'],
  ['a.test', '/API', 'other'],
  ['a.test', '/api/v2', 'api-v2'],
  ['a.test', '/api/v2/x', 'api-v2'],
  ['a.test', '/api/v20', 'api'],
  ['a.test', '/api/v2/exact', 'exact'],
  ['a.test', '/api/v2/exact/', 'api-v2'],
  ['shop.example', '/api/v2/x', 'shop-api'],
  ['shop.example', '/only', 'shop-only'],
  ['shop.example', '/only/x', 'any-example'],
  ['a.b.example', '/api', 'any-example'],
  ['a.deep.example', '/', 'deep-example'],
  ['deep.example', '/', 'any-example'],
  ['example', '/', 'other'],
  ['', '/', 'other'],
])('%s%s goes to %s', (host, path, group) => {
  const view = { method: 'GET', host, path, target: path, clientAddress: '', ...PLAIN };
  expect(createRouter().route(view)).toMatchObject({ kind: 'forward', group: { name: group } });
});

test('a fixed response is answered as it stands', () => {
  const view = {
    method: 'GET',
    host: 'gone.test',
    path: '/',
    target: '/',
    clientAddress: '',
    ...PLAIN,
  };
  expect(createRouter().route(view)).toMatchObject({
    kind: 'respond',
    status: 410,
    content: { type: 'text/plain; charset=utf-8', body: 'gone' },
  });
});
