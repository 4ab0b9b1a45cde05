import type { Clock } from '@rollcall/runtime';

/** The process signals, as far as the SDK meddles with them. */
export interface SignalSource {
  on(signal: NodeJS.Signals, listener: () => void): void;
  off(signal: NodeJS.Signals, listener: () => void): void;
  listenerCount(signal: NodeJS.Signals): number;
  /** Ends this very process by the signal. */
  raise(signal: NodeJS.Signals): void;
}

/** All that the SDK takes from the world besides the network. Parts can be replaced in tests. */
export interface Runtime extends Pick<Clock, 'monotonicMs' | 'after'> {
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** 128 random bits in hex, unguessable. */
  readonly randomId: () => string;
  /** A name for this machine, for default instance ids. */
  hostName(): string;
  processId(): number;
  readonly signals: SignalSource;
  /** Tells the process of something that nobody listens to. `cause`: what was thrown, if anything was. */
  warn(message: string, cause?: unknown): void;
}
