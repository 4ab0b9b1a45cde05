import type { Dispatcher } from 'undici';
import { asError } from './call-error.ts';

/**
 * What tells a call from one that is over: nothing may be called back any more. `broken`: the caller's own side failed,
 * its handler or its body, and the try is about to end for that.
 */
type Phase = 'trying' | 'answering' | 'broken' | 'over';

/**
 * The caller's side of a call: its handler, told of the end exactly once whatever it throws itself, and the controller
 * that it sees, one for all tries.
 */
export abstract class CallerSide implements Dispatcher.DispatchController {
  /** `namespace/service`, for messages. */
  protected abstract readonly label: string;
  protected readonly handler: Dispatcher.DispatchHandler;
  /** Of the try that has a connection. */
  protected controller: Dispatcher.DispatchController | undefined;
  protected phase: Phase = 'trying';
  reason: Error | null = null;
  paused = false;

  constructor(handler: Dispatcher.DispatchHandler) {
    this.handler = handler;
  }

  /**
   * Hands the controller to the caller's handler, so that the call can be aborted while it has no connection yet. False
   * when that has ended it.
   */
  begin(): boolean {
    try {
      this.handler.onRequestStart?.(this, null);
    } catch (error) {
      this.fail(asError(error));
    }
    return this.phase !== 'over';
  }

  /** Ends the call. */
  fail(error: Error): void {
    if (this.phase === 'over') return;
    this.phase = 'over';
    this.tell(error);
  }

  onResponseStarted(): void {
    try {
      this.handler.onResponseStarted?.();
    } catch (error) {
      this.breakOff(error);
    }
  }

  onBodySent(chunk: Buffer): void {
    try {
      this.handler.onBodySent?.(chunk);
    } catch (error) {
      this.breakOff(error);
    }
  }

  onRequestSent(): void {
    try {
      this.handler.onRequestSent?.();
    } catch (error) {
      this.breakOff(error);
    }
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    try {
      this.handler.onResponseData?.(this, chunk);
    } catch (error) {
      this.breakOff(error);
    }
  }

  get isOver(): boolean {
    return this.phase === 'over';
  }

  get aborted(): boolean {
    return this.reason !== null;
  }

  get rawHeaders(): NonNullable<Dispatcher.DispatchController['rawHeaders']> | null {
    return this.controller?.rawHeaders ?? null;
  }

  get rawTrailers(): NonNullable<Dispatcher.DispatchController['rawTrailers']> | null {
    return this.controller?.rawTrailers ?? null;
  }

  pause(): void {
    this.paused = true;
    this.controller?.pause();
    this.onHeldBack(true);
  }

  resume(): void {
    // Readers say so for each piece that they take.
    if (this.paused) {
      this.paused = false;
      this.onHeldBack(false);
    }
    this.controller?.resume();
  }

  /** The caller has stopped reading, or goes on. */
  protected abstract onHeldBack(isHeldBack: boolean): void;

  abstract abort(reason?: Error): void;

  /** The handler threw where nobody waits for an answer any more. */
  protected abstract warn(message: string, error: unknown): void;

  /** The caller's handler threw: the try ends, and no instance is to blame. */
  protected breakOff(error: unknown): never {
    if (this.phase !== 'over') this.phase = 'broken';
    throw error;
  }

  protected tell(error: Error): void {
    try {
      this.handler.onResponseError?.(this, error);
    } catch (thrown) {
      this.warn(`the handler of a call of ${this.label} threw`, thrown);
    }
  }
}
