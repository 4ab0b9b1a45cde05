import type { TimelineKind, InstanceKey } from '@rollcall/contract';
import type { InstanceRecord, ResourceRecord } from './record.ts';

interface EntryBase {
  /** Strictly increasing; the id of the entry. */
  readonly revision: number;
  /** Revision of the entry before it: a reader whose last one differs has missed something. */
  readonly prev: number;
  /** Digest of everything up to the entry before it, and up to this one: the same revision may be of two primaries. */
  readonly before: string;
  readonly mark: string;
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
  /** Nothing changed: a server that followed a lost past has seen a higher revision. */
  | (EntryBase & { readonly op: 'lift' })
  /** What was written cannot be read: what it replaced is no more. */
  | (EntryBase & Spoilt & { readonly op: 'spoilt' });

/** Something in the store that cannot be read. */
interface Spoilt {
  /** Of a resource, or `instance/NAMESPACE/SERVICE/ID`. */
  readonly key: string;
  /** What is wrong with it; names no value. */
  readonly fault: string;
}

/** What following the log gives: entries, or the proof that there are none. */
export interface LogPage {
  readonly entries: readonly LogEntry[];
  /** Given with an empty page: where the store stands, so that a loss of data is seen. */
  readonly head?: StoreHead;
}

/** The store's own account of itself. */
export interface StoreHead {
  /** Identity of the store's memory: made when it is empty, gone when it is. */
  readonly epoch: string;
  /** Last revision. */
  readonly revision: number;
  /** Digest of everything up to it. */
  readonly mark: string;
}
