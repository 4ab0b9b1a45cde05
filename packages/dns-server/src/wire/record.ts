import type { TYPE } from './codes.ts';

interface Owned {
  /** Whose record it is; undefined = the name that was asked for. */
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
  /** How long a negative answer may be remembered, in seconds. */
  readonly minimum: number;
}

/** A record of an answer. All names are texts without a dot at the end. */
export type DnsRecord = AddressRecord | NameRecord | ServiceRecord | TextRecord | AuthorityRecord;
