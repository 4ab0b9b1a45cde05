import type { TYPE } from './codes.ts';

interface Owned {
  /** Owner of the record; undefined = the requested name. */
  readonly name?: string;
  readonly ttl: number;
}

export interface AddressRecord extends Owned {
  readonly type: typeof TYPE.A | typeof TYPE.AAAA;
  /** 4 or 16 bytes. */
  readonly address: Uint8Array;
}

interface NameRecord extends Owned {
  readonly type: typeof TYPE.CNAME | typeof TYPE.NS | typeof TYPE.PTR;
  readonly target: string;
}

export interface ServiceRecord extends Owned {
  readonly type: typeof TYPE.SRV;
  readonly priority: number;
  readonly weight: number;
  readonly port: number;
  readonly target: string;
}

interface TextRecord extends Owned {
  readonly type: typeof TYPE.TXT | typeof TYPE.HINFO;
  /** Each at most 255 bytes. */
  readonly texts: readonly string[];
}

export interface AuthorityRecord extends Owned {
  readonly type: typeof TYPE.SOA;
  readonly primary: string;
  readonly mailbox: string;
  readonly serial: number;
  /** How long a negative answer may be cached, in seconds. */
  readonly minimum: number;
}

/** A record of an answer. All names are texts without a trailing dot. */
export type DnsRecord = AddressRecord | NameRecord | ServiceRecord | TextRecord | AuthorityRecord;
