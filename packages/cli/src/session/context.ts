import type { Rollcall } from '@rollcall/client-sdk';
import type { RegistrationClient } from '@rollcall/client-sdk/registration';
import type { Output } from '../output/output.ts';
import { visibleLine } from '../output/untrusted.ts';
import type { Clock } from '@rollcall/runtime';

/** Everything that a command needs. */
export interface Context {
  readonly rollcall: RegistrationClient;
  /** A client that sees services live. Loaded when it is first asked for, and closed after the command. */
  readonly live: () => Promise<Rollcall>;
  readonly registryUrl: string;
  /** A client of one registry server, with the same token and certificates. The caller closes it. */
  readonly clientAt: (url: string) => RegistrationClient;
  readonly namespace: string;
  /** Version of this program. */
  readonly version: string;
  readonly out: Output;
  readonly err: Output;
  readonly clock: Clock;
  readonly env: NodeJS.ProcessEnv;
  /** Aborted when the user wants to stop. */
  readonly signal: AbortSignal;
  /** Reads standard input. */
  readStdin(): Promise<string>;
}

/** Prints one line to standard output; untrusted parts cannot break it into several. */
export function say(context: Context, line: string): void {
  context.out.write(`${visibleLine(line)}\n`);
}

/** Prints one line to standard error; untrusted parts cannot break it into several. */
export function warn(context: Context, line: string): void {
  context.err.write(`${visibleLine(line)}\n`);
}
