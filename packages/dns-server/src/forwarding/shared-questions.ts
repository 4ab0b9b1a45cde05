import { Query, readQuery } from '../wire/query.ts';
import type { Transport } from './forwarder.ts';

/** Spellings of one question that may be on their way at a time: letter case and options make others of it. */
const MAX_SPELLINGS = 8;

const ID_BYTES = 2;

export interface Asker {
  /** Under which the answer is expected. */
  readonly id: number;
  readonly done: (answer: Buffer | undefined) => void;
}

/**
 * Questions that are on their way. The same one is sent once and its answer given to all who asked: so two servers that
 * forward to each other, and get their own questions back, ask each once instead of without end.
 */
export class SharedQuestions {
  /** By the bytes behind the id. */
  readonly #waiting = new Map<string, Asker[]>();
  readonly #spellings = new Map<string, number>();
  readonly #query = new Query();

  /**
   * - `sent`: the first one, to be sent on
   * - `shared`: on its way already; {@link finish} gives this one with the first
   * - `refused`: too many spellings of it are under way
   */
  enter(message: Buffer, transport: Transport, done: Asker['done']): 'sent' | 'shared' | 'refused' {
    const key = keyOf(message, transport);
    const waiting = this.#waiting.get(key);
    const one = { id: message.readUInt16BE(0), done };
    if (waiting !== undefined) {
      waiting.push(one);
      return 'shared';
    }
    const question = this.#questionOf(message);
    const spellings = this.#spellings.get(question) ?? 0;
    if (spellings >= MAX_SPELLINGS) return 'refused';
    this.#spellings.set(question, spellings + 1);
    this.#waiting.set(key, [one]);
    return 'sent';
  }

  /** It is over: all who asked. */
  finish(message: Buffer, transport: Transport): readonly Asker[] {
    const key = keyOf(message, transport);
    const waiting = this.#waiting.get(key) ?? [];
    this.#waiting.delete(key);
    const question = this.#questionOf(message);
    const left = (this.#spellings.get(question) ?? 1) - 1;
    if (left === 0) this.#spellings.delete(question);
    else this.#spellings.set(question, left);
    return waiting;
  }

  #questionOf(message: Buffer): string {
    readQuery(message, this.#query);
    const { name, type, class: given } = this.#query;
    return `${type} ${given} ${name}`;
  }
}

function keyOf(message: Buffer, transport: Transport): string {
  return `${transport} ${message.toString('latin1', ID_BYTES)}`;
}
