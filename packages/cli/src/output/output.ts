import { visibleText } from './untrusted.ts';

/** Destination of the program's output: a stream. */
export interface Sink {
  write(text: string): void;
  readonly isTerminal: boolean;
  /** Whether to use colours and progress. @default on a terminal */
  readonly isDecorated?: boolean;
  /** Columns of the terminal, now; undefined elsewhere. */
  readonly columns?: number | undefined;
}

/** Output of a command. */
export interface Output {
  /** For people: characters that a terminal would interpret or hide are replaced by their names. */
  write(text: string): void;
  /** Unchanged: documents, which machines read, and this program's own terminal sequences. */
  pass(text: string): void;
  readonly isTerminal: boolean;
  /** Whether to use colours and progress: only on a terminal. */
  readonly isDecorated: boolean;
  /** Columns of the terminal, now; unlimited elsewhere. */
  readonly columns: number;
}

export function outputTo(sink: Sink): Output {
  const { isTerminal, isDecorated = isTerminal } = sink;
  return {
    write: (text) => sink.write(visibleText(text)),
    pass: (text) => sink.write(text),
    isTerminal,
    isDecorated,
    get columns() {
      return sink.columns ?? Infinity;
    },
  };
}
