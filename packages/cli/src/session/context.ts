import type { Rollcall } from '@rollcall/client-sdk';
import type { Output } from '../output/output.ts';
import { visibleLine } from '../output/untrusted.ts';
import type { Clock } from '@rollcall/runtime';

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

/** One line to standard output; it stays one, whoever wrote its parts. */
export function say(context: Context, line: string): void {
  context.out.write(`${visibleLine(line)}\n`);
}

/** One line to standard error; it stays one, whoever wrote its parts. */
export function warn(context: Context, line: string): void {
  context.err.write(`${visibleLine(line)}\n`);
}
