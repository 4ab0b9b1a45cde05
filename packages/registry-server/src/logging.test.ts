import { Redis } from 'ioredis';
import { expect, inject, test } from 'vitest';
import { createLogger } from '@rollcall/daemon';
import { StoreUnavailableError } from './store/store.ts';
import { forgetArguments } from './store/redis/forget-arguments.ts';

const LEASE = '0.10000.0123456789abcdef0123456789abcdef';
const NONCE = 'a-nonce-of-a-process';
const PASSWORD = 'a-password';

function logged(error: unknown): string {
  let text = '';
  createLogger('debug', { write: (line) => void (text += line) }).debug({ err: error }, 'a fault');
  return text;
}

/** What Redis says against a command, with what the client hangs on it. */
async function refused(): Promise<Error> {
  const redis = new Redis(inject('redisUrl'));
  try {
    await redis.call('GETRANGE', `key-${LEASE}`, NONCE, PASSWORD);
  } catch (error) {
    return error as Error;
  } finally {
    redis.disconnect();
  }
  throw new Error('expected Redis to refuse that');
}

test('no lease, nonce or password gets into the log with an error of Redis, at any level or depth', async () => {
  const error = await refused();
  const wrapped = new StoreUnavailableError('Redis: no', { cause: error });
  for (const text of [logged(error), logged(wrapped)]) {
    expect(text).toContain('"message"');
    expect(text).toContain('ReplyError');
    for (const secret of [LEASE, NONCE, PASSWORD]) expect(text).not.toContain(secret);
  }
  forgetArguments(error);
  for (const secret of [LEASE, NONCE, PASSWORD]) {
    expect(JSON.stringify(Object.entries(error))).not.toContain(secret);
  }
});

test('texts lose leases, user and password of addresses, and tokens', () => {
  const text = logged(
    new Error(
      `no ${LEASE} at redis://ann:${PASSWORD}@db:6379 or https://:${PASSWORD}@x for Bearer ${NONCE}`,
    ),
  );
  for (const secret of [LEASE, NONCE, PASSWORD]) expect(text).not.toContain(secret);
  expect(text).toContain('0.10000.0123…');
  expect(text).toContain('redis://(not shown)@db:6379');
  expect(logged('a text')).toContain('"message":"a text"');
});
