import { RollcallError } from '@rollcall/client-sdk';
import { ConfigError as UsageError, StartError, type Tell } from '@rollcall/daemon';
import type { Clock } from '@rollcall/runtime';
import type { LoadedConfig } from '../config/config-file.ts';
import { ConfigError } from '../config/problem.ts';
import { logWarnings, MOST_COMPARED } from '../config/warning-log.ts';
import type { Config } from '../config/schema.ts';
import { describeChanges } from '../config/changes.ts';
import { ChangeRefused } from '../config/change-refused.ts';

export type ReloadResult =
  | {
      readonly result: 'applied';
      /** What changed, in words; empty: nothing. */
      readonly changes: readonly string[];
      /** What is allowed, but probably not meant, each with its place in the file. @default nothing */
      readonly warnings?: readonly string[] | undefined;
    }
  | {
      readonly result: 'refused';
      /** Each with its place in the file, where it has one. */
      readonly errors: readonly string[];
    };

/** The configuration in use, and the last attempt to replace it. */
export interface ReloadState {
  /** When the configuration in use was read. */
  readonly loadedMs: number;
  /** The last attempt, if it was refused. */
  readonly refused: { readonly atMs: number; readonly errors: readonly string[] } | undefined;
  readonly counts: { readonly applied: number; readonly refused: number };
}

export interface ReloaderParts {
  /** @throws ConfigError */
  readonly load: () => LoadedConfig;
  /** @throws an error when it is not applied; then nothing has changed. */
  readonly apply: (next: Config) => Promise<void>;
  readonly current: () => Config;
  readonly clock: Pick<Clock, 'wallMs'>;
  readonly log: Tell;
  /** Gets a fault of the program, for which the configuration is not to blame. */
  readonly onFault: (error: unknown) => void;
}

/** Replaces the configuration by what its file contains now: whole, or not at all. */
export class Reloader {
  readonly #parts: ReloaderParts;
  readonly #counts = { applied: 0, refused: 0 };
  #loadedMs: number;
  #refused: ReloadState['refused'];
  #last: Promise<unknown> = Promise.resolve();
  /** It has not begun yet. */
  #waiting: Promise<ReloadResult> | undefined;

  constructor(parts: ReloaderParts) {
    this.#parts = parts;
    this.#loadedMs = parts.clock.wallMs();
  }

  get state(): ReloadState {
    return { loadedMs: this.#loadedMs, refused: this.#refused, counts: { ...this.#counts } };
  }

  /**
   * One at a time. Whoever asks during one gets the result of the next, which reads the file after it was asked for.
   * @param why for the log, e.g. the signal.
   */
  reload(why: string): Promise<ReloadResult> {
    if (this.#waiting !== undefined) return this.#waiting;
    const turn = this.#last.then(() => {
      this.#waiting = undefined;
      return this.#run(why);
    });
    this.#waiting = turn;
    this.#last = turn;
    return turn;
  }

  async #run(why: string): Promise<ReloadResult> {
    const result = await this.#attempt();
    this.#note(why, result);
    return result;
  }

  async #attempt(): Promise<ReloadResult> {
    const { load, apply, current } = this.#parts;
    let loaded: LoadedConfig | undefined;
    try {
      loaded = load();
      const changes = describeChanges(current(), loaded.config);
      const warnings = loaded.warnings(MOST_COMPARED);
      await apply(loaded.config);
      return { result: 'applied', changes, ...(warnings.length === 0 ? {} : { warnings }) };
    } catch (error) {
      if (!isExpected(error)) this.#parts.onFault(error);
      return { result: 'refused', errors: errorsOf(error, loaded) };
    }
  }

  #note(why: string, outcome: ReloadResult): void {
    const { clock, log } = this.#parts;
    this.#counts[outcome.result]++;
    if (outcome.result === 'applied') {
      const { changes, warnings = [] } = outcome;
      this.#refused = undefined;
      this.#loadedMs = clock.wallMs();
      log(`${why}: ${changes.length === 0 ? 'nothing has changed' : changes.join('; ')}`);
      logWarnings(warnings, log);
      return;
    }
    const { errors } = outcome;
    this.#refused = { atMs: clock.wallMs(), errors };
    log(`${why}: refused, the configuration stays as it is\n${errors.join('\n')}`, 'error');
  }
}

/** Whether a configuration is to blame, or the system, and not the program. */
export function isExpected(error: unknown): boolean {
  return (
    error instanceof UsageError || error instanceof StartError || error instanceof RollcallError
  );
}

function errorsOf(error: unknown, loaded: LoadedConfig | undefined): readonly string[] {
  if (error instanceof ConfigError) return error.lines;
  const { message } = error as Error;
  return error instanceof ChangeRefused && loaded !== undefined
    ? [`${loaded.placeOf(error.path)}: ${message}`]
    : [message];
}
