import { HEADER_BYTES, MAX_MESSAGE_BYTES, RCODE, TYPE } from './codes.ts';
import { labelsOf } from './name.ts';
import type { DnsRecord } from './record.ts';
import { RecordWriter } from './record-writer.ts';

const QUESTION_TAIL_BYTES = 4;

/** Everything of an answer that stands behind the question, ready to be copied. */
export interface PreparedAnswer {
  readonly rcode: number;
  readonly bytes: Buffer;
  /** Where each record ends in `bytes`. */
  readonly ends: readonly number[];
  readonly answers: number;
  readonly authorities: number;
  readonly additionals: number;
  /** Bytes of each answer when they are addresses that may be given in any order; 0 = the order stands. */
  readonly stride: number;
  /** Set when the answers end in an alias of a name that others know. */
  readonly onward?: Onward;
  /** Which answer comes first next time. Counted up by whoever copies. */
  turn: number;
}

/** Where an answer goes on: the key of the last alias's target, and the aliases that lead to it. */
interface Onward {
  readonly target: string;
  readonly answers: readonly DnsRecord[];
}

export interface Sections {
  /** @default NOERROR */
  readonly rcode?: number;
  readonly answers?: readonly DnsRecord[];
  readonly authorities?: readonly DnsRecord[];
  readonly additionals?: readonly DnsRecord[];
}

/** Encodes what will stand behind a question for the name with this key. */
export function prepareAnswer(key: string, sections: Sections): PreparedAnswer {
  return prepareBehind(key.length, offsetsOf(key), sections);
}

/**
 * Encodes what will stand behind any question whose name has so many bytes and in which names stand at these offsets
 * of the message.
 */
export function prepareBehind(
  nameBytes: number,
  offsets: ReadonlyMap<string, number>,
  sections: Sections,
): PreparedAnswer {
  const { rcode = RCODE.NOERROR, answers = [], authorities = [], additionals = [] } = sections;
  const writer = new RecordWriter(HEADER_BYTES + nameBytes + QUESTION_TAIL_BYTES, offsets);
  const write = (records: readonly DnsRecord[]) =>
    records.filter((record) => writer.write(record)).length;
  const counts = {
    answers: write(answers),
    authorities: write(authorities),
    // Nobody would ever see them: answers alone fill a message.
    additionals: writer.bytes.length > MAX_MESSAGE_BYTES ? 0 : write(additionals),
  };
  const { bytes, ends } = writer;
  const isAlone = counts.answers === ends.length;
  return { rcode, bytes, ends, ...counts, stride: isAlone ? strideOf(answers) : 0, turn: 0 };
}

function strideOf(answers: readonly DnsRecord[]): number {
  const [first] = answers;
  if (answers.length < 2 || first === undefined) return 0;
  const canTurn = answers.every(
    ({ type, name }) =>
      type === first.type && name === undefined && (type === TYPE.A || type === TYPE.AAAA),
  );
  if (!canTurn) return 0;
  return first.type === TYPE.A ? 16 : 28;
}

/** Where the name that is asked for and what it ends in stand in the message. */
function offsetsOf(key: string): Map<string, number> {
  const labels = labelsOf(key);
  const offsets = new Map([['', HEADER_BYTES]]);
  let at = HEADER_BYTES;
  for (let i = 0; i < labels.length; i++) {
    const text = labels.slice(i).join('.');
    // A dot inside of a label would make two names look alike.
    if (!labels.slice(i).some((label) => label.includes('.'))) offsets.set(text, at);
    at += 1 + labels[i]!.length;
  }
  return offsets;
}
