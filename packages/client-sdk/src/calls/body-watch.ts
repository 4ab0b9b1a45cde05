import { isErrored, Readable } from 'node:stream';

/**
 * The body to send in place of one that comes in pieces, such that its own failure is told before undici learns of it:
 * a client that leaves in the middle of its upload looks like an instance that died. Throws when it has failed already.
 */
export function watchBody(body: unknown, onFailed: (error: unknown) => void): unknown {
  if (typeof body !== 'object' || body === null) return body;
  if (body instanceof Promise) {
    // Nobody else hears of what it comes to.
    body.catch(() => undefined);
    throw new TypeError('expected a body, got a promise of one: wait for it before the call');
  }
  if (isStream(body)) {
    if (isErrored(body)) throw body.errored ?? new Error('the body had failed already');
    // Before any listener of undici, and left in place: a late failure has nobody else to hear it.
    return body.prependListener('error', onFailed);
  }
  return Symbol.asyncIterator in body ? told(body as AsyncIterable<unknown>, onFailed) : body;
}

const isStream = (body: object): body is Readable =>
  body instanceof Readable ||
  (typeof (body as Readable).pipe === 'function' && typeof (body as Readable).on === 'function');

async function* told(
  body: AsyncIterable<unknown>,
  onFailed: (error: unknown) => void,
): AsyncGenerator {
  try {
    yield* body;
  } catch (error) {
    onFailed(error);
    throw error;
  }
}
