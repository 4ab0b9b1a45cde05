import type { SocketHandle } from '@rollcall/dataplane';
import { ChangeRefused } from '../config/change-refused.ts';
import type { FromWorker, Question, Questions, ToWorker } from './messages.ts';

type Answers = {
  readonly [Q in Question]: (given: Questions[Q]['given']) => Promise<Questions[Q]['answer']>;
};
type Told = Exclude<ToWorker, { kind: 'ask' }>;

export interface ChannelHandlers {
  readonly answers: Answers;
  onTold(message: Told, socket: SocketHandle | undefined): void;
  onGone(): void;
}

/**
 * A worker's connection to its parent. Messages are taken in order, and one question is answered after the other; only a
 * report does not wait, since a worker may need its whole grace to close.
 */
export class ParentChannel {
  readonly #process: NodeJS.Process;
  #last: Promise<unknown> = Promise.resolve();

  constructor(own: NodeJS.Process) {
    this.#process = own;
  }

  open(handlers: ChannelHandlers): void {
    this.#process.on('message', (message: ToWorker, socket: unknown) => {
      if (message.kind === 'ask') this.#answer(message, handlers.answers);
      else handlers.onTold(message, socket as SocketHandle | undefined);
    });
    this.#process.on('disconnect', () => handlers.onGone());
    this.tell({ kind: 'started' });
  }

  tell(message: FromWorker): void {
    // The parent may be gone; that has an event of its own.
    if (this.#process.connected) this.#process.send?.(message, undefined, undefined, () => {});
  }

  #answer({ id, question, given }: Extract<ToWorker, { kind: 'ask' }>, answers: Answers): void {
    const find = answers[question] as (given: unknown) => Promise<unknown>;
    const reply = async (): Promise<void> => {
      try {
        this.tell({ kind: 'answer', id, answer: await find(given) });
      } catch (error) {
        const { message } = error as Error;
        const path = error instanceof ChangeRefused ? error.path : undefined;
        this.tell({ kind: 'failed', id, message, path });
      }
    };
    if (question === 'report') void reply();
    else this.#last = this.#last.then(reply);
  }
}
