import type { Frame } from './frame.ts';

/** Why a stream is over: the other side closed it, this side did, or the network did. */
export type StreamEnd = 'peer' | 'server' | 'network';

/** A reply that goes on for good, one event after the other. */
export interface EventStream {
  readonly isOpen: boolean;
  /** Bytes that the reader has not taken yet. */
  readonly bufferedBytes: number;
  /** Takes one event; does nothing when it is over. */
  send(frame: Frame): void;
  /** Each listener is called once, when it is over; at once when it is already. */
  onEnd(listener: (end: StreamEnd) => void): void;
  /** Calls back once when the reader has taken everything. */
  onDrain(listener: () => void): void;
  /** Ends it properly; twice without harm. */
  close(): void;
  /** Ends it without waiting for the reader. */
  destroy(): void;
}
