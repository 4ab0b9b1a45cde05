import type { Rollcall } from '@rollcall/client-sdk';
import type { Clock } from './runtime/clock.ts';

/** Where a command writes. */
export interface Output {
  write(text: string): void;
  /** Colours and progress are for terminals alone. */
  readonly isTerminal: boolean;
}

/** What a command works with. */
export interface Context {
  readonly rollcall: Rollcall;
  readonly registryUrl: string;
  readonly namespace: string;
  /** Of this program. */
  readonly version: string;
  readonly out: Output;
  readonly err: Output;
  readonly clock: Clock;
  readonly env: NodeJS.ProcessEnv;
  /** Aborted when the user wants to stop. */
  readonly signal: AbortSignal;
  /** What is to be read as standard input. */
  readStdin(): Promise<string>;
}

/** One line to standard output. */
export function say(context: Context, line: string): void {
  context.out.write(`${line}\n`);
}

/** One line to standard error. */
export function warn(context: Context, line: string): void {
  context.err.write(`${line}\n`);
}
