import type { Dispatcher } from 'undici';
import { asError } from './call-error.ts';

/**
 * State of a call. After `over`, no callback may run. `broken`: the caller's own side failed (its handler or its body),
 * and the try is about to end because of it.
 */
type Phase = 'trying' | 'answering' | 'broken' | 'over';

/**
 * The caller's side of a call: its handler, which learns of the end exactly once even if it throws itself, and the
 * controller that it sees, one for all tries.
 */
export abstract class CallerSide implements Dispatcher.DispatchController {
  /** `namespace/service`, for messages. */
  protected abstract readonly label: string;
  protected handler: Dispatcher.DispatchHandler;
  /** Controller of the try that has a connection. */
  protected controller: Dispatcher.DispatchController | undefined;
  protected phase: Phase = 'trying';
  reason: Error | null = null;
  paused = false;

  constructor(handler: Dispatcher.DispatchHandler) {
    this.handler = handler;
  }

  /**
   * Passes the controller to the caller's handler, so that the handler can abort the call before it has a connection.
   * Returns false when this ended the call.
   */
  start(): boolean {
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
    // Readers call resume() for each chunk that they take.
    if (this.paused) {
      this.paused = false;
      this.onHeldBack(false);
    }
    this.controller?.resume();
  }

  /** The caller stopped reading, or continues. */
  protected abstract onHeldBack(isHeldBack: boolean): void;

  abstract abort(reason?: Error): void;

  /** The handler threw when no response was awaited any more. */
  protected abstract warn(message: string, error: unknown): void;

  /** The caller's handler threw: the try ends, and no instance is blamed. */
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
