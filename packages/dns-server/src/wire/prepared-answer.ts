import { HEADER_BYTES, MAX_MESSAGE_BYTES, RCODE, TYPE } from './codes.ts';
import { labelsOf } from './name.ts';
import type { DnsRecord } from './record.ts';
import { RecordWriter } from './record-writer.ts';

const QUESTION_TAIL_BYTES = 4;

/** Everything in an answer after the question, ready to be copied. */
export interface PreparedAnswer {
  readonly rcode: number;
  readonly bytes: Buffer;
  /** Where each record ends in `bytes`. */
  readonly ends: readonly number[];
  readonly answers: number;
  readonly authorities: number;
  readonly additionals: number;
  /** Bytes per answer when the answers are addresses whose order may change; 0 = the order is fixed. */
  readonly stride: number;
  /** A suffix of the question whose letter case the copies in the answer take over. */
  readonly echo?: Echo;
  /** Set when the answers end in an alias of a name outside the zone. */
  readonly onward?: Onward;
  /** Index of the answer that comes first next time. Incremented by each copy. */
  turn: number;
}

interface Echo {
  /** Position in the message. */
  readonly from: number;
  /** In bytes. */
  readonly length: number;
  /** Positions in `bytes`. */
  readonly at: readonly number[];
}

/** Where an answer continues: the key of the last alias's target, and the aliases that lead to it. */
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
  /** A name, in lower case: where the question ends in it, uncompressed copies of it get the letter case of the question. */
  readonly echoed?: string;
}

/** Encodes the records after a question for the name with this key. */
export function prepareAnswer(key: string, sections: Sections): PreparedAnswer {
  return prepareBehind(key.length, offsetsOf(key), sections);
}

/**
 * Encodes the records after any question whose name has `nameBytes` bytes; `offsets` are the positions
 * of known names in the message.
 */
export function prepareBehind(
  nameBytes: number,
  offsets: ReadonlyMap<string, number>,
  sections: Sections,
): PreparedAnswer {
  const { rcode = RCODE.NOERROR, answers = [], authorities = [], additionals = [] } = sections;
  const { echoed } = sections;
  const from = echoed === undefined ? undefined : offsets.get(echoed);
  const isEchoed = from !== undefined && echoed !== undefined;
  const origin = HEADER_BYTES + nameBytes + QUESTION_TAIL_BYTES;
  const writer = new RecordWriter(origin, offsets, isEchoed ? echoed : undefined);
  const write = (records: readonly DnsRecord[]) =>
    records.filter((record) => writer.encode(record)).length;
  const counts = {
    answers: write(answers),
    authorities: write(authorities),
    // They would never be sent: the answers alone fill a message.
    additionals: writer.bytes.length > MAX_MESSAGE_BYTES ? 0 : write(additionals),
  };
  const { bytes, ends } = writer;
  const isAlone = counts.answers === ends.length;
  const stride = isAlone ? strideOf(answers) : 0;
  const hasEchoes = isEchoed && writer.echoes.length > 0;
  const echo = hasEchoes ? { from, length: echoed.length + 1, at: writer.echoes } : undefined;
  return { rcode, bytes, ends, ...counts, stride, ...(echo && { echo }), turn: 0 };
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

/** Positions in the message of the requested name and of its suffixes. */
function offsetsOf(key: string): Map<string, number> {
  const labels = labelsOf(key);
  const offsets = new Map([['', HEADER_BYTES]]);
  let at = HEADER_BYTES;
  for (let i = 0; i < labels.length; i++) {
    const text = labels.slice(i).join('.');
    // A dot inside a label would make two different names look the same.
    if (!labels.slice(i).some((label) => label.includes('.'))) offsets.set(text, at);
    at += 1 + labels[i]!.length;
  }
  return offsets;
}
