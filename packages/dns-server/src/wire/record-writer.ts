import { CLASS_IN, TYPE } from './codes.ts';
import { keyOf } from './name.ts';
import type { AuthorityRecord, DnsRecord, ServiceRecord } from './record.ts';

/** A pointer has 14 bits. */
const MAX_POINTER = 0x3fff;
const POINTER_BITS = 0xc000;
const FIRST_BYTES = 512;
/** Times in the SOA record, in seconds. The record requires them, but this server offers no zone transfers. */
const SOA_TIMES = { refresh: 7_200, retry: 1_800, expire: 86_400 };

/** Writes records that follow a question, with compressed names. */
export class RecordWriter {
  /** Where records end, counted from the start of the first one. */
  readonly ends: number[] = [];
  /** Where copies of the echoed name begin, counted from the start of the first record. */
  readonly echoes: number[] = [];
  #bytes = Buffer.allocUnsafe(FIRST_BYTES);
  #length = 0;
  readonly #origin: number;
  readonly #offsets: Map<string, number>;
  readonly #echoed: string | undefined;

  /**
   * @param origin position of the first record in the message
   * @param offsets positions of the names already in the message; '' is the requested name. Copied.
   * @param echoed a name whose uncompressed copies are noted in `echoes`
   */
  constructor(origin: number, offsets: ReadonlyMap<string, number>, echoed?: string) {
    this.#origin = origin;
    this.#offsets = new Map(offsets);
    this.#echoed = echoed;
  }

  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Returns false and writes nothing when one of its names cannot be encoded. */
  encode(record: DnsRecord): boolean {
    const names = [record.name, 'target' in record ? record.target : undefined];
    if (names.some((name) => name !== undefined && keyOf(name) === undefined)) return false;
    if (record.name === undefined) this.#word(POINTER_BITS | this.#offsets.get('')!);
    else this.#name(record.name, true);
    this.#word(record.type);
    this.#word(CLASS_IN);
    this.#word(record.ttl >>> 16);
    this.#word(record.ttl & 0xffff);
    const start = this.#length;
    this.#word(0);
    this.#data(record);
    this.#bytes.writeUInt16BE(this.#length - start - 2, start);
    this.ends.push(this.#length);
    return true;
  }

  #data(record: DnsRecord): void {
    switch (record.type) {
      case TYPE.A:
      case TYPE.AAAA:
        return this.#raw(record.address);
      case TYPE.SRV:
        return this.#service(record);
      case TYPE.TXT:
      case TYPE.HINFO:
        for (const text of record.texts) this.#raw([text.length, ...Buffer.from(text, 'latin1')]);
        return;
      case TYPE.SOA:
        return this.#authority(record);
      default:
        this.#name(record.target, true);
    }
  }

  #service({ priority, weight, port, target }: ServiceRecord): void {
    this.#word(priority);
    this.#word(weight);
    this.#word(port);
    // RFC 2782: the target is not compressed. Later names may point to it.
    this.#name(target, false);
  }

  #authority({ primary, mailbox, serial, minimum }: AuthorityRecord): void {
    this.#name(primary, true);
    this.#name(mailbox, true);
    const { refresh, retry, expire } = SOA_TIMES;
    for (const value of [serial, refresh, retry, expire, minimum]) {
      this.#word(value >>> 16);
      this.#word(value & 0xffff);
    }
  }

  #name(text: string, isCompressed: boolean): void {
    let rest = text.replace(/\.$/, '');
    while (rest !== '') {
      const key = rest.toLowerCase();
      const known = this.#offsets.get(key);
      if (known !== undefined && isCompressed) return this.#word(POINTER_BITS | known);
      const at = this.#origin + this.#length;
      // Later pointers use this copy: a record of that name then has its own letter case, not that of the question.
      if (at <= MAX_POINTER) this.#offsets.set(key, at);
      if (key === this.#echoed) this.echoes.push(this.#length);
      const dot = rest.indexOf('.');
      const label = dot === -1 ? rest : rest.slice(0, dot);
      this.#raw([label.length]);
      this.#raw(Buffer.from(label, 'latin1'));
      rest = dot === -1 ? '' : rest.slice(dot + 1);
    }
    this.#raw([0]);
  }

  #word(value: number): void {
    this.#makeRoom(2);
    this.#length = this.#bytes.writeUInt16BE(value, this.#length);
  }

  #raw(bytes: ArrayLike<number>): void {
    this.#makeRoom(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  #makeRoom(bytes: number): void {
    if (this.#length + bytes <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.#length + bytes, this.#bytes.length * 2));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}
