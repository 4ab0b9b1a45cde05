import type { Seen } from '../facts/history-event.ts';
import { type Check, pictures, type Violation } from './check.ts';

function isAfter(a: string, b: string): boolean {
  return BigInt(a) > BigInt(b);
}

function isOtherStore(a: Seen, b: Seen): boolean {
  return a.epoch !== undefined && b.epoch !== undefined && a.epoch !== b.epoch;
}

/** Finds a lower revision after a higher one, or a change that repeats a revision, at one watcher of one service. */
export const checkOrder: Check = ({ events }) =>
  pictures(events).flatMap((ofOneWatcher) =>
    ofOneWatcher.flatMap((current, i): Violation[] => {
      const previous = ofOneWatcher[i - 1];
      if (previous === undefined || isOtherStore(previous, current)) return [];
      const isSame = current.revision === previous.revision;
      const isAllowed = isSame
        ? current.cause !== 'change'
        : isAfter(current.revision, previous.revision);
      if (isAllowed) return [];
      const { watcher, service, cause, atMs } = current;
      const message = `${watcher} on ${service}: revision ${current.revision} after ${previous.revision} (cause: ${cause})`;
      return [
        { promise: 'G3', kind: 'revision-fell', atMs, message, evidence: [previous, current] },
      ];
    }),
  );

/** Finds watchers with different pictures of the same revision: one of them has missed something. */
export const checkAgreement: Check = ({ events }) => {
  const firstByRevision = new Map<string, Seen>();
  return pictures(events)
    .flat()
    .flatMap((current): Violation[] => {
      // Such a picture may contain endpoints that the watcher keeps by its own grace period and no store has.
      if (current.epoch === undefined || current.cause === 'grace') return [];
      const key = `${current.service} ${current.epoch} ${current.revision}`;
      const other = firstByRevision.get(key);
      if (other === undefined) firstByRevision.set(key, current);
      if (other === undefined || comparable(other) === comparable(current)) return [];
      const message = `${other.watcher} and ${current.watcher} differ at revision ${current.revision}`;
      return [
        {
          promise: 'G3',
          kind: 'pictures-differ',
          atMs: current.atMs,
          message,
          evidence: [other, current],
        },
      ];
    });
};

/** What two pictures of one revision have in common. */
function comparable({ endpoints }: Seen): string {
  return endpoints
    .map(({ instance, tier }) => `${instance} ${tier}`)
    .toSorted()
    .join();
}
