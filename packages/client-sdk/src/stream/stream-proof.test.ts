import { describe, expect, test } from 'vitest';
import { StreamProof } from './stream-proof.ts';

const SILENCE_MS = 1_000;
const TOTAL_MS = 10_000;

/** When it is found dead, looked at every 10 ms while `feed` goes on. */
function deathMs(proof: StreamProof, feed: (nowMs: number) => void, untilMs = 60_000): number {
  for (let nowMs = 0; nowMs <= untilMs; nowMs += 10) {
    feed(nowMs);
    if (proof.faultAt(nowMs) !== undefined) return nowMs;
  }
  return Infinity;
}

const every = (ms: number, act: (nowMs: number) => void) => (nowMs: number) => {
  if (nowMs % ms === 0) act(nowMs);
};

describe('a stream that is up', () => {
  const up = () => {
    const proof = new StreamProof(SILENCE_MS, 0);
    proof.markUp();
    return proof;
  };

  test('lives on whole events', () => {
    const proof = up();
    expect(
      deathMs(
        proof,
        every(900, (nowMs) => proof.event(nowMs)),
      ),
    ).toBe(Infinity);
  });

  test('dies of silence, and of a drip of bytes', () => {
    expect(deathMs(up(), () => {})).toBe(SILENCE_MS);
    const proof = up();
    expect(
      deathMs(
        proof,
        every(300, (nowMs) => proof.bytes(1, nowMs)),
      ),
    ).toBe(SILENCE_MS);
  });

  test('may take longer for an event that grows, up to a total', () => {
    const proof = up();
    const growing = every(100, (nowMs) => proof.bytes(2_000, nowMs));
    expect(deathMs(proof, growing)).toBe(TOTAL_MS);
    expect(proof.faultAt(TOTAL_MS)).toBe('no whole event for 10000 ms');
  });

  test('dies of an event without an end, however fast', () => {
    const proof = up();
    expect(deathMs(proof, (nowMs) => proof.bytes(2 ** 20, nowMs))).toBe(640);
    expect(proof.faultAt(640)).toBe('an event of more than 64 MiB');
  });
});

test('all up to the first whole picture has one time, events or not', () => {
  const proof = new StreamProof(SILENCE_MS, 0);
  expect(
    deathMs(
      proof,
      every(100, (nowMs) => proof.event(nowMs)),
    ),
  ).toBe(TOTAL_MS);
  expect(proof.faultAt(TOTAL_MS)).toBe('no whole picture within 10000 ms');
  expect(proof.waitMs(9_999)).toBe(1);
});
