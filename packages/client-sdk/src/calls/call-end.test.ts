import type { Dispatcher } from 'undici';
import { afterEach, expect, test } from 'vitest';
import { TestContext } from '../testing/context.ts';
import { backendOf, serveOrders } from '../testing/served.ts';

const context = new TestContext();
afterEach(() => context.end());

/** Resolves at the end of a call with its controller, and with the head that the controller knew then. */
function atEnd(dispatch: (handler: Dispatcher.DispatchHandler) => void) {
  return new Promise<{
    readonly controller: Dispatcher.DispatchController;
    readonly head: Dispatcher.DispatchController['rawHeaders'];
  }>((resolve, reject) => {
    dispatch({
      onRequestStart() {},
      onResponseEnd: (controller) => resolve({ controller, head: controller.rawHeaders }),
      onResponseError: (_, error) => reject(error),
    });
  });
}

test('a call that is over keeps nothing of what undici read for it', async () => {
  const alive = await backendOf(context, 'alive');
  const { client } = await serveOrders(context, [alive.port]);
  const dispatch = client.interceptor()(() => false);
  const options = { path: '/x', method: 'GET', origin: 'http://orders.rollcall' } as const;
  const { controller, head } = await atEnd((handler) => dispatch(options, handler));
  expect(head?.length).toBeGreaterThan(0);
  expect(controller.rawHeaders).toBeNull();
  controller.pause();
  controller.resume();
  controller.abort(new Error('too late'));
  expect(controller.aborted).toBe(false);
});
