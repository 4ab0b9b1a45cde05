import type { Tell } from '@rollcall/daemon';
import { StartError } from '@rollcall/daemon';
import type { Clock } from '@rollcall/runtime';
import { NO_STEP, type Step } from '../reload/step.ts';
import { AccessLog } from './access-log.ts';
import { createStdoutSink, type LogSink, openFileSink } from './log-sink.ts';

export interface AccessLogParts {
  readonly clock: Clock;
  readonly log: Tell;
  /** Other processes write to the same standard output. @default false */
  readonly isShared?: boolean | undefined;
  /** Where the lines go instead of the standard output or the file. @default there */
  readonly openSink?: ((target: string) => Promise<LogSink>) | undefined;
}

/** Turns the access log on and off, and opens its file. */
export class AccessLogSwitch {
  /** Undefined: off. */
  log: AccessLog | undefined;
  readonly #parts: AccessLogParts;
  #target = 'off';

  constructor(parts: AccessLogParts) {
    this.#parts = parts;
  }

  /**
   * `target`: `stdout`, `off` or a file. A file is opened anew each time, so that it can be renamed before.
   * @throws StartError when it cannot be opened.
   */
  async prepare(target: string): Promise<Step> {
    if (target === this.#target && (target === 'off' || target === 'stdout')) return NO_STEP;
    const sink = target === 'off' ? undefined : await this.#open(target);
    return {
      commit: () => this.#replace(target, sink),
      undo: () => sink?.close(),
    };
  }

  async close(): Promise<void> {
    await this.log?.close();
  }

  async #open(target: string): Promise<LogSink> {
    const { log, openSink, isShared = false } = this.#parts;
    if (openSink !== undefined) return openSink(target);
    if (target === 'stdout') return createStdoutSink(process.stdout, isShared);
    const onError = (error: Error) => log(`accessLog ${target}: ${error.message}`, 'error');
    return openFileSink(target, onError).catch((error: Error) => {
      throw new StartError(`accessLog ${target}: cannot be opened: ${error.message}`);
    });
  }

  #replace(target: string, sink: LogSink | undefined): void {
    this.#target = target;
    if (sink === undefined) {
      void this.log?.close();
      this.log = undefined;
    } else if (this.log === undefined) this.log = new AccessLog(sink, this.#parts.clock);
    else void this.log.replaceSink(sink);
  }
}
