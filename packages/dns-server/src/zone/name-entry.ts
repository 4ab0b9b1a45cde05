import { TYPE } from '../wire/codes.ts';
import { type PreparedAnswer, prepareAnswer } from '../wire/prepared-answer.ts';
import type { RecordSet } from './record-set.ts';

/** RFC 8482: QTYPE=ANY gets a minimal HINFO answer. */
const MINIMAL_ANY = ['RFC8482', ''];

/** An existing name in one spelling: its answers, each encoded at its first question. */
export class NameEntry {
  readonly #key: string;
  readonly #set: RecordSet;
  readonly #ttl: number;
  readonly #zone: string;
  readonly isInZone: boolean;
  readonly #prepared = new Map<number, PreparedAnswer>();

  constructor(
    key: string,
    set: RecordSet,
    { ttl, zone, isInZone }: { ttl: number; zone: string; isInZone: boolean },
  ) {
    this.#key = key;
    this.#set = set;
    this.#ttl = ttl;
    this.#zone = zone;
    this.isInZone = isInZone;
  }

  /** Undefined: the name has no record of this type. */
  answer(type: number): PreparedAnswer | undefined {
    const known = this.#prepared.get(type);
    if (known !== undefined) return known;
    const answer =
      type === TYPE.ANY
        ? { answers: [{ type: TYPE.HINFO, ttl: this.#ttl, texts: MINIMAL_ANY }] }
        : this.#set.byType.get(type);
    if (answer === undefined) return undefined;
    const prepared = prepareAnswer(this.#key, { ...answer, echoed: this.#zone });
    this.#prepared.set(type, prepared);
    return prepared;
  }
}
