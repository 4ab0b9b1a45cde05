import { isErrored, Readable } from 'node:stream';
import type { Dispatcher } from 'undici';

/**
 * Wraps a streamed body so that its own failure is reported before undici sees it. Otherwise a client that disconnects
 * in the middle of its upload would look like an instance that died. Throws when the body has failed already.
 */
function watchBody(body: unknown, onFailed: (error: unknown) => void): unknown {
  if (typeof body !== 'object' || body === null) return body;
  if (body instanceof Promise) {
    // Nothing else handles its rejection.
    body.catch(() => undefined);
    throw new TypeError('expected a body, got a promise of one: wait for it before the call');
  }
  if (isStream(body)) {
    if (isErrored(body)) throw body.errored ?? new Error('the body had failed already');
    // Must run before undici's listeners. It is never removed, because a late failure would have no other listener.
    return body.prependListener('error', onFailed);
  }
  return Symbol.asyncIterator in body ? told(body as AsyncIterable<unknown>, onFailed) : body;
}

type Options = Dispatcher.DispatchOptions;

/** The options with the body for one try. `onFailed` is told when the body cannot be produced, then or later. */
export function withOwnBody(options: Options, onFailed: (error: unknown) => void): Options {
  const body: unknown = options.body;
  try {
    const made: unknown = typeof body === 'function' ? (body() ?? null) : body;
    const watched = watchBody(made, onFailed);
    if (watched === body) return options;
    return { ...options, body: (watched ?? null) as NonNullable<Options['body']> };
  } catch (error) {
    onFailed(error);
    return options;
  }
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
