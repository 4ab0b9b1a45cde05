import { HEADER_BYTES, RCODE, TYPE } from '../wire/codes.ts';
import { type PreparedAnswer, prepareBehind } from '../wire/prepared-answer.ts';
import type { AuthorityRecord } from '../wire/record.ts';
import { addressAnswers, addressRecords } from './address-records.ts';
import type { Naming } from './naming.ts';
import { type RecordSet, recordSet } from './record-set.ts';

/** Version of the Kubernetes DNS specification that names follow. */
const SPECIFICATION = '1.1.0';
const SERIAL_RANGE = 2 ** 32;

/** What the zone says of itself: SOA, NS, its version, and the SOA of answers that say no. */
export class Authority {
  readonly #naming: Naming;
  readonly #zoneKeyBytes: number;
  /** Ready-made, by the length of the name, whether it ends in the zone, and the response code. */
  readonly #negatives = new Map<number, PreparedAnswer>();
  #serial: number;

  /** @param serial the first one; it is counted up by each change */
  constructor(naming: Naming, serial: number) {
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
    const { ttl } = this.#naming;
    return recordSet({ answers: [{ type: TYPE.TXT, ttl, texts: [SPECIFICATION] }] });
  }

  server(): RecordSet {
    const { ttl, serverAddresses } = this.#naming;
    return recordSet(...addressAnswers(addressRecords(serverAddresses, ttl)));
  }

  /** `name` undefined = the name that is asked for. */
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

  /** The name is there and has no record of the type. */
  noData(key: string, isInZone: boolean): PreparedAnswer {
    return this.#negative(key, isInZone, RCODE.NOERROR);
  }

  /** The name is not there. */
  nxDomain(key: string, isInZone: boolean): PreparedAnswer {
    return this.#negative(key, isInZone, RCODE.NXDOMAIN);
  }

  /** Names of one length share their bytes: asking for random ones neither makes work nor takes room. */
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
