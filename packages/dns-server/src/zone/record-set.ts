import type { DnsRecord } from '../wire/record.ts';

/** The answer for one record type. */
export interface Answer {
  readonly answers: readonly DnsRecord[];
  readonly additionals?: readonly DnsRecord[];
}

/** All records of one name. A name without any type exists, but has no records. */
export interface RecordSet {
  /** The name is an alias of this one, which answers every type. */
  readonly alias?: string;
  /** By record type. */
  readonly byType: ReadonlyMap<number, Answer>;
}

export const EMPTY_SET: RecordSet = { byType: new Map() };

export function aliasSet(target: string): RecordSet {
  return { alias: target, byType: new Map() };
}

/** A set of the types that have answers. */
export function recordSet(...answers: readonly Answer[]): RecordSet {
  const filled = answers.filter((answer) => answer.answers.length > 0);
  return { byType: new Map(filled.map((answer) => [answer.answers[0]!.type, answer])) };
}
