import { Query, readQuery } from '../wire/query.ts';
import type { Transport } from './forwarder.ts';

/** Maximum number of pending variants of one question: letter case and options make different variants. */
const MAX_SPELLINGS = 8;

const ID_BYTES = 2;

export interface Asker {
  /** The id that the answer must carry. */
  readonly id: number;
  readonly done: (answer: Buffer | undefined) => void;
}

/**
 * Pending questions. Identical questions are sent once, and all askers get the answer: so two servers that forward to
 * each other, and get their own questions back, ask each question once instead of endlessly.
 */
export class SharedQuestions {
  /** By the bytes after the id. */
  readonly #waiting = new Map<string, Asker[]>();
  readonly #spellings = new Map<string, number>();
  readonly #query = new Query();

  /**
   * - `sent`: the first one, which must be sent
   * - `shared`: already sent; {@link finish} returns this asker together with the first
   * - `refused`: too many variants of the question are pending
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

  /** The question is answered or given up: returns all askers. */
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
