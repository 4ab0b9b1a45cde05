import type { Seen } from '../facts/history-event.ts';
import { type Check, pictures, type Violation } from './check.ts';

function isAfter(a: string, b: string): boolean {
  return BigInt(a) > BigInt(b);
}

function isOtherStore(a: Seen, b: Seen): boolean {
  return a.epoch !== undefined && b.epoch !== undefined && a.epoch !== b.epoch;
}

/** Finds revisions of a watcher that do not increase, or an older picture after a newer one. */
export const checkOrder: Check = ({ events }) =>
  pictures(events).flatMap((seen) =>
    seen.flatMap((now, i): Violation[] => {
      const before = seen[i - 1];
      if (before === undefined || isOtherStore(before, now)) return [];
      const isSame = now.revision === before.revision;
      const isRight = isSame ? now.cause !== 'change' : isAfter(now.revision, before.revision);
      if (isRight) return [];
      const message = `${now.watcher} went from revision ${before.revision} to ${now.revision} by a ${now.cause}`;
      return [
        { promise: 'G3', kind: 'revision-fell', atMs: now.atMs, message, evidence: [before, now] },
      ];
    }),
  );

/** Finds watchers with different pictures of the same revision: one of them has missed something. */
export const checkAgreement: Check = ({ events }) => {
  const first = new Map<string, Seen>();
  return pictures(events)
    .flat()
    .flatMap((now): Violation[] => {
      // Without an epoch the picture may be the watcher's own: endpoints in their grace period are in no store.
      if (now.epoch === undefined || now.cause === 'grace') return [];
      const key = `${now.service} ${now.epoch} ${now.revision}`;
      const other = first.get(key);
      if (other === undefined) first.set(key, now);
      if (other === undefined || textOf(other) === textOf(now)) return [];
      const message = `${other.watcher} and ${now.watcher} differ at revision ${now.revision}`;
      return [
        { promise: 'G3', kind: 'pictures-differ', atMs: now.atMs, message, evidence: [other, now] },
      ];
    });
};

function textOf({ endpoints }: Seen): string {
  return endpoints
    .map(({ instance, tier }) => `${instance} ${tier}`)
    .toSorted()
    .join();
}
