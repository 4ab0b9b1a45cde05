import { type Route, ROUTES } from '@rollcall/contract';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RegistryServer } from '../compose.ts';
import { startTestServer } from '../testing/test-server.ts';

interface Document {
  readonly paths: Record<string, Record<string, { operationId: string; responses: object }>>;
  readonly components: { readonly schemas: Record<string, object> };
}

let server: RegistryServer;
let text: string;
let document: Document;

beforeAll(async () => {
  server = await startTestServer();
  text = await (await fetch(`${server.url}/openapi.json`)).text();
  document = JSON.parse(text) as Document;
});
afterAll(() => server.close());

test('every call of the contract is described, and nothing else', () => {
  const described = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { operationId }]) => `${operationId} ${method} ${path}`),
  );
  const expected = Object.entries<Route>(ROUTES).map(([name, { method, path }]) => {
    return `${name} ${method.toLowerCase()} ${path.replaceAll(/:([a-z]+)/g, '{$1}')}`;
  });
  expect(described.toSorted()).toEqual(expected.toSorted());
});

test('every reference leads somewhere', () => {
  const names = [...text.matchAll(/"#\/components\/schemas\/(\w+)"/g)].map(
    ([, name]) => name ?? '',
  );
  expect(names.length).toBeGreaterThan(20);
  for (const name of new Set(names)) expect(document.components.schemas).toHaveProperty(name);
});

test('manifests are described as YAML with an example that applies, patches as merge patches', async () => {
  type Body = { content: Record<string, { example?: string }> };
  const contentOf = (path: string, method: string) => {
    const call = document.paths[path]?.[method] as { requestBody?: Body } | undefined;
    return Object.entries(call?.requestBody?.content ?? {});
  };
  const [type, content] = contentOf('/v1/apply', 'post')[0] ?? ['', undefined];
  expect(type).toBe('application/yaml');
  const headers = { 'content-type': type };
  const body = content?.example ?? '';
  const reply = await fetch(`${server.url}/v1/apply?dryRun=true`, {
    method: 'POST',
    headers,
    body,
  });
  expect(reply.status).toBe(200);
  const object = '/v1/namespaces/{ns}/manifests/{kind}/{name}';
  expect(contentOf(object, 'patch')[0]?.[0]).toBe('application/merge-patch+json');
});

test('refusals are described as problems', () => {
  const { responses } = document.paths['/v1/leases/{lease}']?.['put'] ?? {};
  expect(Object.keys(responses ?? {})).toEqual(expect.arrayContaining(['4XX', '5XX']));
});

test('the API is shown to people', async () => {
  const response = await fetch(`${server.url}/docs`);
  expect(response.status).toBe(200);
  expect(await response.text()).toContain('<html');
});

test('metrics are there for Prometheus', async () => {
  const metrics = await (await fetch(`${server.url}/metrics`)).text();
  for (const name of [
    'rollcall_instances',
    'rollcall_watch_streams',
    'rollcall_store_reachable 1',
  ]) {
    expect(metrics).toContain(name);
  }
});
