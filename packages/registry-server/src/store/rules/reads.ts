import type { LogPage, StoreHead } from '../log-entry.ts';
import type { Continuity, StoreSnapshot } from '../store.ts';
import type { Tables } from './tables.ts';

export function headOf({ epoch, last, digest }: Tables['state']): StoreHead {
  return { epoch, revision: last, digest };
}

/** The entries after a revision, or the position that shows that there are none. */
export function pageAfter({ log, state }: Tables, revision: number): LogPage {
  const entries = log.after(revision);
  return entries.length > 0 ? { entries } : { entries, head: headOf(state) };
}

/** Whether the log still has a position. */
export function continuityOf({ log, state }: Tables, position: StoreHead): Continuity {
  const { epoch, revision, digest } = headOf(state);
  if (epoch !== position.epoch || revision < position.revision) return 'lost';
  if (revision === position.revision) return digest === position.digest ? 'kept' : 'lost';
  const oldest = log.firstAfter(0);
  if (oldest !== undefined && oldest.prev > position.revision) return 'trimmed';
  const next = log.firstAfter(position.revision);
  const isSame = next?.prev === position.revision && next.before === position.digest;
  return isSame ? 'kept' : 'lost';
}

export function snapshotOf(tables: Tables, nowMs: number): StoreSnapshot {
  const { instances, resources, state } = tables;
  const tombstones = [...tables.tombstones]
    // Only the store itself uses the other kinds.
    .filter(([member]) => /^[ixr]:/.test(member))
    .map(([member, { value, untilMs }]) => {
      return { member, revision: Number(value), forMs: Math.max(0, untilMs - nowMs) };
    });
  return {
    head: headOf(state),
    upTo: state.last,
    instances: [...instances.values()],
    resources: [...resources.values()],
    tombstones,
  };
}
