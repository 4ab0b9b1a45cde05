import { visibleText } from './untrusted.ts';

/** Where a program's output goes: a stream. */
export interface Sink {
  write(text: string): void;
  readonly isTerminal: boolean;
  /** Whether colours and progress are wanted there. @default on a terminal */
  readonly isDecorated?: boolean;
}

/** Where a command writes. */
export interface Output {
  /** For people: what would command a terminal or hide something is shown by its name. */
  write(text: string): void;
  /** As it is: documents, which machines read, and what this program itself tells a terminal. */
  pass(text: string): void;
  readonly isTerminal: boolean;
  /** Whether colours and progress are wanted: on a terminal alone. */
  readonly isDecorated: boolean;
}

export function outputTo(sink: Sink): Output {
  const { isTerminal, isDecorated = isTerminal } = sink;
  return {
    write: (text) => sink.write(visibleText(text)),
    pass: (text) => sink.write(text),
    isTerminal,
    isDecorated,
  };
}
