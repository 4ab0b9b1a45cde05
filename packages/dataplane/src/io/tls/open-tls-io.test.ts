import { systemClock } from '@rollcall/runtime';
import { expect, test } from 'vitest';
import { openTlsIo, type TlsIo } from './open-tls-io.ts';
import { type CreateSecured, createPublicly } from './secured-connection.ts';

const nameOf = async (...given: Parameters<typeof openTlsIo>) => (await openTlsIo(...given)).name;

test('this Node.js has what is faster, and it passes its test', async () => {
  expect(await nameOf('auto', systemClock)).toBe('handle');
});

test('the public API can be asked for', async () => {
  expect(await nameOf('net', systemClock)).toBe('net');
});

/** What would come of another Node.js. */
function candidate(create: CreateSecured): TlsIo {
  return { name: 'handle', create };
}

test.each<[string, CreateSecured]>([
  [
    'cannot be made',
    () => {
      throw new TypeError('no such method');
    },
  ],
  [
    'changes bytes',
    (...given) => {
      const connection = createPublicly(...given);
      const write = connection.write.bind(connection);
      return Object.assign(connection, { write: () => write(Buffer.from('xxxxx'), 0, 5) });
    },
  ],
  ['does not end', (...given) => Object.assign(createPublicly(...given), { shutdown: () => {} })],
])('a connection that %s: the public API it is', async (_, create) => {
  expect(await nameOf('auto', systemClock, candidate(create))).toBe('net');
});
