/** A server to forward queries to. */
export interface UpstreamAddress {
  readonly host: string;
  readonly port: number;
}

/** One server, asked over one transport. */
export interface Upstream {
  /** Calls back once: with the answer under the query's own id, or with undefined. */
  ask(message: Buffer, done: (answer: Buffer | undefined) => void): void;
  /** Gives up queries whose deadline is at or before `nowMs`. */
  checkDeadlines(nowMs: number): void;
  /** Gives up all queries in progress. */
  close(): void;
}

const ID_BYTES = 2;
/** Number of ids: they have 16 bits. */
export const IDS = 65_536;

/** A copy with another id. */
export function withId(message: Buffer, id: number): Buffer {
  const copy = Buffer.from(message);
  copy.writeUInt16BE(id, 0);
  return copy;
}

/** Whether `answer` is a response to this query: the question must be identical, bit for bit. */
export function answersTo(answer: Buffer, query: Buffer, questionEnd: number): boolean {
  return (
    answer.length >= questionEnd &&
    (answer[ID_BYTES]! & 0x80) !== 0 &&
    answer.compare(query, 12, questionEnd, 12, questionEnd) === 0
  );
}
