import type { RecordSet } from './record-set.ts';

/** An address and the full name that its reverse lookup returns. */
interface Pointer {
  readonly address: string;
  readonly name: string;
  /** Whether it is a cluster IP. Such an address has no other names, as in CoreDNS. @default false */
  readonly isCluster?: boolean;
}

/** The records of all names of one service. */
export interface NamedRecords {
  /** By the labels before the service's name: '' itself, `web-1`, `_http._tcp`, `_tcp`. */
  readonly sets: Pick<ReadonlyMap<string, RecordSet>, 'get'>;
  readonly pointers: readonly Pointer[];
}
