import type { Tell } from '@rollcall/daemon';
import { StartError } from '@rollcall/daemon';
import { isDeepStrictEqual } from 'node:util';
import type { AccessLogConfig } from '../config/access-log-schema.ts';
import { NO_STEP, type Step } from '../reload/step.ts';
import { AccessLog, type AccessLogParts } from './access-log.ts';
import { createStdoutSink, type LogSink, openFileSink } from './log-sink.ts';

export interface AccessLogSwitchParts extends AccessLogParts {
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
  readonly #parts: AccessLogSwitchParts;
  #config: AccessLogConfig = { file: 'off', format: 'json', sample: 1 };

  constructor(parts: AccessLogSwitchParts) {
    this.#parts = parts;
  }

  /**
   * A file is opened anew each time, so that it can be renamed before.
   * @throws StartError when it cannot be opened.
   */
  async prepare(next: AccessLogConfig): Promise<Step> {
    const { file } = next;
    const isStream = file === 'off' || file === 'stdout';
    if (isStream && isDeepStrictEqual(next, this.#config)) return NO_STEP;
    if (file === 'stdout' && this.#config.file === file)
      return { commit: () => this.#configure(next), undo() {} };
    const sink = file === 'off' ? undefined : await this.#open(file);
    return {
      commit: () => this.#replace(next, sink),
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

  #replace(next: AccessLogConfig, sink: LogSink | undefined): void {
    if (sink === undefined) {
      void this.log?.close();
      this.log = undefined;
    } else if (this.log === undefined) this.log = new AccessLog(sink, this.#parts);
    else void this.log.replaceSink(sink);
    this.#configure(next);
  }

  #configure(next: AccessLogConfig): void {
    this.#config = next;
    this.log?.configure(next);
  }
}
