import type { TimelineKind, InstanceKey } from '@rollcall/contract';
import type { InstanceRecord, ResourceRecord } from './record.ts';

interface EntryBase {
  /** Strictly increasing; the id of the entry. */
  readonly revision: number;
  /** Revision of the previous entry: a reader whose last one differs has missed something. */
  readonly prev: number;
  /** Digests of everything up to the previous entry, and up to this one: two primaries may use the same revision. */
  readonly before: string;
  readonly digest: string;
  /** Unix ms on the store's clock. */
  readonly atMs: number;
  readonly why: TimelineKind;
}

/** One committed write. */
export type LogEntry =
  | (EntryBase & { readonly op: 'set'; readonly record: InstanceRecord })
  | (EntryBase & { readonly op: 'del'; readonly instanceKey: InstanceKey })
  | (EntryBase & { readonly op: 'put'; readonly resource: ResourceRecord })
  | (EntryBase & { readonly op: 'rm'; readonly key: string })
  /** Nothing changed, but the revision rises: a server that followed a lost past has seen a higher one. */
  | (EntryBase & { readonly op: 'bump' })
  /** The written value is unreadable; the value that it replaced no longer exists. */
  | (EntryBase & Spoilt & { readonly op: 'spoilt' });

/** An unreadable entry of the store. */
interface Spoilt {
  /** The key of a resource, or `instance/NAMESPACE/SERVICE/ID`. */
  readonly key: string;
  /** What is wrong with it, without its content. */
  readonly fault: string;
}

/** A page of the log: entries, or the proof that there are none. */
export interface LogPage {
  readonly entries: readonly LogEntry[];
  /** Given with an empty page: the store's position, so that lost data is noticed. */
  readonly head?: StoreHead;
}

/** The store's position. */
export interface StoreHead {
  /** Identity of the store's data: made when the store is empty, gone when it is emptied. */
  readonly epoch: string;
  /** Last revision. */
  readonly revision: number;
  /** Digest of everything up to it. */
  readonly digest: string;
}
