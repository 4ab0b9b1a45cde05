import { HEADER_BYTES, RCODE, TYPE } from '../wire/codes.ts';
import { type PreparedAnswer, prepareBehind } from '../wire/prepared-answer.ts';
import type { AuthorityRecord } from '../wire/record.ts';
import { addressAnswers, addressRecords } from './address-records.ts';
import type { ZoneOptions } from './zone-options.ts';
import { type RecordSet, recordSet } from './record-set.ts';

/** Version of the Kubernetes DNS specification that the names follow. */
const SPECIFICATION = '1.1.0';
/** TTL of the version, in seconds: the specification says 8 hours, since it changes with the server only. */
const VERSION_TTL = 28_800;
const SERIAL_RANGE = 2 ** 32;

/** The zone's own records: SOA, NS, its version, and negative answers with the SOA. */
export class Authority {
  readonly #naming: ZoneOptions;
  readonly #zoneKeyBytes: number;
  /** Encoded answers, by the length of the name, whether it ends in the zone, and the response code. */
  readonly #negatives = new Map<number, PreparedAnswer>();
  #serial: number;

  /** @param serial the first one; each change increments it */
  constructor(naming: ZoneOptions, serial: number) {
    this.#naming = naming;
    this.#zoneKeyBytes = naming.zone.length + 2;
    this.#serial = serial % SERIAL_RANGE;
  }

  changed(): void {
    this.#serial = (this.#serial + 1) % SERIAL_RANGE;
    this.#negatives.clear();
  }

  apex(): RecordSet {
    const { ttl, zone, serverAddresses } = this.#naming;
    const server = `ns.dns.${zone}`;
    return recordSet(
      { answers: [this.soa()] },
      {
        answers: [{ type: TYPE.NS, ttl, target: server }],
        additionals: addressRecords(serverAddresses, ttl, server),
      },
    );
  }

  version(): RecordSet {
    return recordSet({ answers: [{ type: TYPE.TXT, ttl: VERSION_TTL, texts: [SPECIFICATION] }] });
  }

  server(): RecordSet {
    const { ttl, serverAddresses } = this.#naming;
    return recordSet(...addressAnswers(addressRecords(serverAddresses, ttl)));
  }

  /** `name` undefined = the requested name. */
  soa(name?: string): AuthorityRecord {
    const { zone, negativeTtl } = this.#naming;
    return {
      ...(name === undefined ? {} : { name }),
      type: TYPE.SOA,
      ttl: negativeTtl,
      primary: `ns.dns.${zone}`,
      mailbox: `hostmaster.${zone}`,
      serial: this.#serial,
      minimum: negativeTtl,
    };
  }

  /** The name exists but has no record of the type. */
  noData(key: string, isInZone: boolean): PreparedAnswer {
    return this.#negative(key, isInZone, RCODE.NOERROR);
  }

  /** The name does not exist. */
  nxDomain(key: string, isInZone: boolean): PreparedAnswer {
    return this.#negative(key, isInZone, RCODE.NXDOMAIN);
  }

  /** Names of the same length share the encoded bytes: queries for random names cost neither work nor memory. */
  #negative(key: string, isInZone: boolean, rcode: number): PreparedAnswer {
    const slot = (key.length * 2 + (isInZone ? 1 : 0)) * 16 + rcode;
    const known = this.#negatives.get(slot);
    if (known !== undefined) return known;
    const { zone } = this.#naming;
    const zoneAt = HEADER_BYTES + key.length - this.#zoneKeyBytes;
    const offsets = new Map(isInZone ? [[zone, zoneAt]] : []);
    const prepared = prepareBehind(key.length, offsets, { rcode, authorities: [this.soa(zone)] });
    this.#negatives.set(slot, prepared);
    return prepared;
  }
}
