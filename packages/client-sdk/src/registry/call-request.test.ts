import { startTestServer } from '@rollcall/registry-server/testing';
import { afterAll, beforeAll, expect, expectTypeOf, onTestFinished, test } from 'vitest';
import type { CallRequest, Endpoint, ReplyOf } from '../index.ts';
import { Rollcall } from '../rollcall.ts';

let server: Awaited<ReturnType<typeof startTestServer>>;
let rollcall: Rollcall;
beforeAll(async () => {
  server = await startTestServer();
  rollcall = new Rollcall({ url: server.url });
});
afterAll(async () => {
  await rollcall.close();
  await server.close();
});

/** Calls that the compiler would not let through, as from JavaScript. */
const untyped = (name: string, request?: unknown) =>
  (rollcall.call as unknown as (name: string, request?: unknown) => Promise<unknown>).call(
    rollcall,
    name,
    request,
  );

test('a call is typed by its route: what it needs, what it may have, what it is answered with', async () => {
  const params = { ns: 'default', svc: 'rollcall' };
  const { endpoints } = await rollcall.call('resolve', { params, query: { ready: true } });
  expectTypeOf(endpoints).toEqualTypeOf<Endpoint[]>();
  expect(endpoints).toHaveLength(1);
  const { events } = await rollcall.call('events', { query: { limit: 5, service: undefined } });
  expect(events.length).toBeGreaterThan(0);
  await rollcall.call('events');

  // None of these is made: the compiler alone has to refuse them.
  const refused = () => {
    // @ts-expect-error no such parameter, and none of those that are needed
    void rollcall.call('readService', { params: { namespace: 'default' } });
    // @ts-expect-error a call without a query
    void rollcall.call('readService', { params, query: { nonsense: 1 } });
    // @ts-expect-error no such name in the query
    void rollcall.call('resolve', { params, query: { nonsense: 1 } });
    // @ts-expect-error a switch is a boolean
    void rollcall.call('resolve', { params, query: { ready: 'yes' } });
    // @ts-expect-error a number
    void rollcall.call('events', { query: { limit: '5' } });
    // @ts-expect-error one of three modes
    void rollcall.call('apply', { query: { mode: 'merge' }, body: '' });
    // @ts-expect-error a body is needed
    void rollcall.call('apply');
    // @ts-expect-error the whole of a body
    void rollcall.call('putOverride', { params: { ...params, id: 'a' }, body: { status: 'down' } });
    // @ts-expect-error parameters are needed
    void rollcall.call('listServices');
    // @ts-expect-error streams have methods of their own
    void rollcall.call('watch');
    // @ts-expect-error no such call
    void rollcall.call('lookUp');
  };
  expectTypeOf(refused).toBeFunction();
  expectTypeOf<ReplyOf<'heartbeat'>>().toBeUndefined();
  expectTypeOf<CallRequest<'readService'>['params']>().toEqualTypeOf<
    Readonly<{ ns: string; svc: string }>
  >();
});

test.each<[string, unknown, string]>([
  [
    'readService',
    { params: { namespace: 'default' }, query: { nonsense: 1 } },
    'option params.ns:',
  ],
  [
    'readService',
    { params: { ns: 'default', svc: 'a' }, query: { nonsense: 1 } },
    'option query.nonsense: there is no such option',
  ],
  ['readService', undefined, 'option params:'],
  ['readService', null, 'option '],
  ['readService', { params: { ns: 'A B', svc: 'a' } }, 'option params.ns: expected'],
  [
    'resolve',
    { params: { ns: 'default', svc: 'a' }, query: { redy: true } },
    'did you mean ready?',
  ],
  [
    'resolve',
    { params: { ns: 'default', svc: 'a' }, query: { ready: 'maybe' } },
    'option query.ready: expected',
  ],
  ['events', { query: { limit: 1_001 } }, 'option query.limit:'],
  ['events', { query: 'limit=1' }, 'option query: expected'],
  ['events', { timeoutMs: 0 }, 'option timeoutMs:'],
  ['events', { signal: 'now' }, 'option signal:'],
  ['events', { nonsense: 1 }, 'option nonsense: there is no such option'],
  ['readServce', {}, "there is no such call 'readServce'; did you mean readService?"],
  ['watch', {}, "there is no such call 'watch'"],
  ['constructor', {}, "there is no such call 'constructor'"],
])('%s(%j) rejects with what is wrong', async (name, request, message) => {
  const error: unknown = await untyped(name, request).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ name: 'RollcallError', code: 'invalid_options' });
  expect((error as Error).message).toContain(message);
});

test('a body that JSON cannot say, and a client that is closed, reject as well', async () => {
  const circle: Record<string, unknown> = {};
  circle['self'] = circle;
  const params = { ns: 'default', kind: 'services', name: 'a' };
  for (const body of [circle, { count: 1n }]) {
    await expect(untyped('patchManifest', { params, body })).rejects.toMatchObject({
      name: 'RollcallError',
      code: 'invalid_options',
    });
  }
  const closed = new Rollcall({ url: server.url });
  await closed.close();
  await expect(closed.call('events')).rejects.toMatchObject({ code: 'closed' });
});

test('an abort rejects with its reason', async () => {
  const controller = new AbortController();
  onTestFinished(() => controller.abort());
  controller.abort(new Error('enough'));
  await expect(rollcall.call('events', { signal: controller.signal })).rejects.toThrow('enough');
});
