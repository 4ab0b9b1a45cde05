import { until } from '@rollcall/testkit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Catalog, CatalogChange } from '../api/catalog.ts';
import { RollcallError } from '../base/error.ts';
import { Rollcall } from '../rollcall.ts';
import { endpointAt, FakeRegistry, type FakeStream } from '../testing/fake-registry.ts';

let registry: FakeRegistry;
let rollcall: Rollcall;
beforeEach(async () => {
  registry = await FakeRegistry.start();
  rollcall = new Rollcall({ url: registry.url, unconfirmedGraceMs: 300, reconnectMaxMs: 50 });
});
afterEach(async () => {
  await rollcall.close();
  await registry.kill();
});

const DECLARED = {
  type: 'ClusterIP',
  isHeadless: false,
  hasSelector: true,
  clusterIPs: ['127.96.0.9'],
  externalName: '',
  ports: [],
  externalIPs: [],
  loadBalancerIP: '',
  loadBalancerIPs: [],
  loadBalancerClass: '',
  loadBalancerSourceRanges: [],
  affinityMs: 0,
  publishNotReadyAddresses: false,
  internalTrafficPolicy: 'Cluster',
  externalTrafficPolicy: 'Cluster',
  trafficDistribution: '',
  scheduler: '',
  isUnproxied: false,
} as const;

interface Sent {
  readonly service: string;
  readonly namespace?: string;
  readonly revision: number;
  readonly declared?: typeof DECLARED | null;
  readonly ports?: readonly number[];
  readonly removes?: readonly string[];
  readonly epoch?: string;
}

function snapshot(stream: FakeStream | undefined, given: Sent): void {
  const { service, namespace = 'default', declared = null, ports = [], epoch = 'e1' } = given;
  const endpoints = ports.map((port) => endpointAt(port));
  const revision = String(given.revision);
  stream?.send('snapshot', { namespace, service, revision, epoch, declared, endpoints });
}

function change(stream: FakeStream | undefined, given: Sent): void {
  const { service, namespace = 'default', declared, ports = [], removes = [] } = given;
  const upserts = ports.map((port) => endpointAt(port));
  const revision = String(given.revision);
  const said = declared === undefined ? {} : { declared };
  stream?.send('change', { namespace, service, revision, ...said, upserts, removes });
}

function bookmark(stream: FakeStream | undefined, revision: number, given: object = {}): void {
  const base = { epoch: 'e1', synced: true, storeAgeMs: 0, moving: false };
  stream?.send('bookmark', { ...base, revision: String(revision), ...given });
}

/** The nth stream that the client opens; the test alone speaks on it. */
async function streamOf(n: number): Promise<FakeStream> {
  return until(() => registry.watches[n], { what: `watch stream ${n}` });
}

function opened(namespace?: string): { catalog: Catalog; changes: CatalogChange[] } {
  registry.speaks = false;
  const catalog = rollcall.catalog(namespace === undefined ? {} : { namespace });
  const changes: CatalogChange[] = [];
  catalog.on('change', (one) => changes.push(one));
  return { catalog, changes };
}

const shown = (catalog: Catalog) =>
  Object.fromEntries(
    [...catalog.services()].map((one) => [
      `${one.namespace}/${one.service}`,
      [one.declared === null ? '-' : one.declared.type, ...one.endpoints.map(({ port }) => port)],
    ]),
  );

test('the first picture: what exists of all namespaces, whole before ready', async () => {
  const { catalog, changes } = opened();
  const stream = await streamOf(0);
  expect(stream.query.get('namespace')).toBe('*');
  snapshot(stream, { service: 'a', revision: 1, ports: [1, 2] });
  snapshot(stream, { service: 'a', namespace: 'other', revision: 2, declared: DECLARED });
  snapshot(stream, { service: 'nothing', revision: 2 });
  await until(() => changes.length === 2);
  expect(catalog.isReady).toBe(false);
  expect(catalog.ageMs()).toBe(Infinity);
  bookmark(stream, 3, { storeAgeMs: 40 });
  await catalog.ready();
  expect(catalog.ageMs()).toBeGreaterThanOrEqual(40);
  expect(shown(catalog)).toEqual({ 'default/a': ['-', 1, 2], 'other/a': ['ClusterIP'] });
  expect(catalog.service('default', 'nothing')).toBeUndefined();
  expect(Object.isFrozen(catalog.service('other', 'a')?.declared)).toBe(true);
});

test('changes come in order; a service that is neither declared nor has endpoints is gone', async () => {
  const { catalog, changes } = opened('default');
  const stream = await streamOf(0);
  expect(stream.query.get('namespace')).toBe('default');
  bookmark(stream, 1);
  change(stream, { service: 'a', revision: 2, ports: [1] });
  change(stream, { service: 'a', revision: 3, declared: DECLARED, removes: ['i-1/http'] });
  change(stream, { service: 'a', revision: 3, ports: [9] });
  change(stream, { service: 'a', revision: 4, declared: null });
  await until(() => changes.length === 3);
  expect(changes.map(({ snapshot: one }) => one?.revision)).toEqual(['2', '3', undefined]);
  expect(changes[1]?.snapshot).toMatchObject({ declared: DECLARED, endpoints: [] });
  expect(shown(catalog)).toEqual({});
});

test('a stream that broke resumes where it was, and keeps the picture meanwhile', async () => {
  const { catalog } = opened();
  const first = await streamOf(0);
  snapshot(first, { service: 'a', revision: 5, ports: [1] });
  bookmark(first, 7);
  await catalog.ready();
  first.end();
  const second = await streamOf(1);
  expect(second.query.get('since')).toBe('7');
  expect(shown(catalog)).toEqual({ 'default/a': ['-', 1] });
  change(second, { service: 'b', revision: 8, declared: DECLARED });
  bookmark(second, 8);
  await until(() => catalog.service('default', 'b'));
  expect(shown(catalog)).toEqual({ 'default/a': ['-', 1], 'default/b': ['ClusterIP'] });
});

test('after compacted, what the snapshots do not name is gone', async () => {
  const { catalog, changes } = opened();
  const first = await streamOf(0);
  snapshot(first, { service: 'a', revision: 5, ports: [1] });
  snapshot(first, { service: 'b', revision: 6, declared: DECLARED });
  bookmark(first, 7);
  await catalog.ready();
  first.end();
  const second = await streamOf(1);
  second.send('compacted', { revision: '20', reason: 'x' });
  snapshot(second, { service: 'b', revision: 15, ports: [2] });
  expect(shown(catalog)).toHaveProperty(['default/a']);
  bookmark(second, 20);
  await until(() => catalog.service('default', 'a') === undefined);
  expect(shown(catalog)).toEqual({ 'default/b': ['-', 2] });
  expect(changes.at(-1)).toMatchObject({ service: 'a', snapshot: undefined });
});

test('a store that lost its memory takes no declaration at once, but after the grace', async () => {
  const { catalog } = opened();
  const first = await streamOf(0);
  snapshot(first, { service: 'a', revision: 5, declared: DECLARED, ports: [1] });
  snapshot(first, { service: 'b', revision: 5, declared: DECLARED });
  bookmark(first, 7);
  await catalog.ready();
  first.end();
  const second = await streamOf(1);
  second.send('compacted', { revision: '3', reason: 'x' });
  snapshot(second, { service: 'b', revision: 2, declared: DECLARED, epoch: 'e2' });
  bookmark(second, 3, { epoch: 'e2' });
  await until(() => catalog.service('default', 'b')?.revision === '2');
  await until(() => catalog.service('default', 'a')?.endpoints[0]?.tier === 1);
  expect(shown(catalog)).toEqual({ 'default/a': ['ClusterIP', 1], 'default/b': ['ClusterIP'] });
  await until(() => catalog.service('default', 'a') === undefined);
  expect(shown(catalog)).toEqual({ 'default/b': ['ClusterIP'] });
});

test('of two streams at once the older one brings nothing back', async () => {
  const { catalog, changes } = opened();
  const first = await streamOf(0);
  snapshot(first, { service: 'a', revision: 5, ports: [1] });
  snapshot(first, { service: 'b', revision: 5, ports: [1] });
  bookmark(first, 6);
  await catalog.ready();
  bookmark(first, 6, { moving: true });
  const second = await streamOf(1);
  change(first, { service: 'a', revision: 9, removes: ['i-1/http'] });
  change(first, { service: 'b', revision: 10, ports: [2] });
  await until(() => catalog.service('default', 'a') === undefined);
  const seen = changes.length;
  // The other server is behind: it still knows what is gone.
  second.send('compacted', { revision: '8', reason: 'x' });
  snapshot(second, { service: 'a', revision: 5, ports: [1] });
  snapshot(second, { service: 'b', revision: 5, ports: [1] });
  change(second, { service: 'a', revision: 7, ports: [3] });
  bookmark(second, 8);
  await until(() => !first.isOpen);
  change(second, { service: 'a', revision: 9, removes: ['i-1/http', 'i-3/http'] });
  change(second, { service: 'c', revision: 11, ports: [4] });
  await until(() => catalog.service('default', 'c'));
  expect(changes.slice(seen).map(({ service }) => service)).toEqual(['c']);
  expect(shown(catalog)).toEqual({ 'default/b': ['-', 1, 2], 'default/c': ['-', 4] });
  change(second, { service: 'a', revision: 12, ports: [5] });
  await until(() => catalog.service('default', 'a'));
});

test('a refusal rejects ready, and is over once the registry shows itself', async () => {
  registry.script = () => 'unauthenticated';
  const { catalog } = opened();
  await expect(catalog.ready()).rejects.toMatchObject({ code: 'unauthenticated' });
  await expect(catalog.ready()).rejects.toBeInstanceOf(RollcallError);
  registry.script = () => undefined;
  const stream = await streamOf(0);
  bookmark(stream, 1);
  await until(() => catalog.isReady);
  await catalog.ready();
});

test('close ends the stream and who waits; a signal ends the waiting alone', async () => {
  const { catalog, changes } = opened();
  const stream = await streamOf(0);
  const waiting = catalog.ready();
  const abort = new AbortController();
  const impatient = catalog.ready({ signal: abort.signal });
  abort.abort(new Error('enough'));
  await expect(impatient).rejects.toThrow('enough');
  catalog.close();
  catalog.close();
  await expect(waiting).rejects.toMatchObject({ code: 'closed' });
  await expect(catalog.ready()).rejects.toMatchObject({ code: 'closed' });
  await until(() => !stream.isOpen);
  snapshot(stream, { service: 'a', revision: 5, ports: [1] });
  bookmark(stream, 6);
  expect(changes).toEqual([]);
  expect(registry.watches).toHaveLength(1);
});
