import type { Frame } from './frame.ts';

/** What ended a stream: the other side closed it, this side closed it, or the network failed. */
export type StreamEnd = 'peer' | 'server' | 'network';

/** An endless reply of events. */
export interface EventStream {
  readonly isOpen: boolean;
  /** Bytes that the reader has not taken yet. */
  readonly bufferedBytes: number;
  /** Sends one event; does nothing after the end. */
  send(frame: Frame): void;
  /** Calls each listener once at the end, or at once if the stream has already ended. */
  onEnd(listener: (end: StreamEnd) => void): void;
  /** Calls back once when the reader has read everything. */
  onDrain(listener: () => void): void;
  /** Ends it properly. May be called twice. */
  close(): void;
  /** Ends it without waiting for the reader. */
  destroy(): void;
}
