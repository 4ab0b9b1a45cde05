import { once } from 'node:events';
import { expect, onTestFinished, test } from 'vitest';
import { openClient, readyEvent } from '../testing/tls-under-test.ts';
import { transportUnderTest } from '../testing/transport-under-test.ts';
import type { Connection } from './transport.ts';

const WAIT = { timeout: 30_000 };

async function accepted(onAccept: (connection: Connection) => void, onDrain = () => {}) {
  const closes: unknown[] = [];
  const listener = await transportUnderTest().listen(
    { host: '127.0.0.1', port: 0 },
    (connection) => {
      setImmediate(() => onAccept(connection));
      return { onData() {}, onDrain, onEnd() {}, onClose: (error) => closes.push(error) };
    },
  );
  const socket = openClient(listener.address.port);
  const errors: (string | undefined)[] = [];
  socket.on('error', ({ code }: NodeJS.ErrnoException) => errors.push(code));
  onTestFinished(async () => {
    socket.destroy();
    await listener.close();
  });
  await once(socket, readyEvent());
  return { socket, closes, errors };
}

test('aborted right after its end was said: it closes all the same', async () => {
  const { closes } = await accepted((connection) => {
    connection.shutdown();
    connection.abort();
    connection.abort();
  });
  await expect.poll(() => closes, WAIT).toEqual([undefined]);
});

test('aborted while the other side takes nothing: it closes at once, with a reset', async () => {
  const { closes, errors, socket } = await accepted((connection) => {
    expect(connection.write(Buffer.alloc(20_000_000), 0, 20_000_000)).toBe(false);
    connection.shutdown();
    connection.abort();
  });
  await expect.poll(() => closes, WAIT).toEqual([undefined]);
  socket.resume();
  await expect.poll(() => errors, WAIT).toEqual(['ECONNRESET']);
});

test('what a write was told to be through with arrives, also when the connection is closed then', async () => {
  let taken = 0;
  let isDone = false;
  const { socket } = await accepted((connection) => {
    const piece = Buffer.alloc(10_000);
    while (connection.write(piece, 0, piece.length)) taken += piece.length;
    connection.close();
    isDone = true;
  });
  socket.pause();
  await expect.poll(() => isDone, WAIT).toBe(true);
  let received = 0;
  socket.on('data', (bytes: Buffer) => {
    received += bytes.length;
  });
  socket.resume();
  await expect.poll(() => received >= taken, WAIT).toBe(true);
});

test('a peer that reads at last is heard of once, and then everything has gone', async () => {
  let drains = 0;
  let written = 0;
  const listener = await transportUnderTest().listen(
    { host: '127.0.0.1', port: 0 },
    (connection) => {
      setImmediate(() => {
        const piece = Buffer.alloc(10_000);
        let isFlowing = true;
        while (isFlowing) {
          isFlowing = connection.write(piece, 0, piece.length);
          written += piece.length;
        }
      });
      return {
        onData() {},
        onDrain() {
          drains++;
          connection.close();
        },
        onEnd() {},
        onClose() {},
      };
    },
  );
  const socket = openClient(listener.address.port);
  onTestFinished(async () => {
    socket.destroy();
    await listener.close();
  });
  await expect.poll(() => written > 0, WAIT).toBe(true);
  let received = 0;
  socket.on('data', (bytes: Buffer) => {
    received += bytes.length;
  });
  await once(socket, 'end');
  expect(received).toBe(written);
  expect(drains).toBe(1);
});

test('while reading is paused the bytes in use stay as they are, and all come in order', async () => {
  const size = 3_000_000;
  const sent = Buffer.from(Array.from({ length: size }, (_, i) => (i * 31 + (i >> 8)) & 255));
  const received: Buffer[] = [];
  let hasChanged = false;
  let isPaused = false;
  let hasEnded = false;
  const listener = await transportUnderTest().listen(
    { host: '127.0.0.1', port: 0 },
    (connection) => ({
      onData(buffer, start, end) {
        expect(isPaused).toBe(false);
        const inUse = buffer.subarray(start, end);
        const copy = Buffer.from(inUse);
        received.push(copy);
        // As if a write of these bytes were pending for a while.
        connection.pause();
        isPaused = true;
        setTimeout(() => {
          hasChanged ||= !inUse.equals(copy);
          isPaused = false;
          connection.resume();
        }, 1);
      },
      onDrain() {},
      onEnd() {
        hasEnded = true;
        connection.close();
      },
      onClose() {},
    }),
  );
  const socket = openClient(listener.address.port);
  onTestFinished(async () => {
    socket.destroy();
    await listener.close();
  });
  await once(socket, readyEvent());
  // In pieces of which several fit into one read.
  for (let at = 0; at < size; at += 5_000) socket.write(sent.subarray(at, at + 5_000));
  socket.end();
  await expect.poll(() => hasEnded, WAIT).toBe(true);
  expect(Buffer.concat(received).equals(sent)).toBe(true);
  expect(hasChanged).toBe(false);
});

test('many writes in a row arrive in order, whatever their sizes', async () => {
  const pieces = Array.from({ length: 300 }, (_, i) => Buffer.alloc((i * 7_919) % 70_000, i));
  const whole = Buffer.concat(pieces);
  let drains = 0;
  let isOwed = false;
  const { socket } = await accepted(
    (connection) => {
      for (const piece of pieces) {
        if (!connection.write(piece, 0, piece.length)) isOwed = true;
      }
      connection.shutdown();
    },
    () => void drains++,
  );
  const received: Buffer[] = [];
  socket.on('data', (bytes: Buffer) => void received.push(bytes));
  await once(socket, 'end');
  expect(Buffer.concat(received).equals(whole)).toBe(true);
  await expect.poll(() => drains, WAIT).toBe(isOwed ? 1 : 0);
});
