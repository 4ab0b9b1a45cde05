import type { RecordSet } from './record-set.ts';

/** An address and the full name that a reverse lookup of it gives. */
interface Pointer {
  readonly address: string;
  readonly name: string;
}

/** Everything that the names of one service hold. */
export interface NamedRecords {
  /** By what stands before the service's name: '' itself, `web-1`, `_http._tcp`, `_tcp`. */
  readonly sets: Pick<ReadonlyMap<string, RecordSet>, 'get'>;
  readonly pointers: readonly Pointer[];
}
