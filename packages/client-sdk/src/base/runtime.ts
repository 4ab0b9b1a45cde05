import type { Clock } from '@rollcall/runtime';
import type { RegistryTransport } from './transport.ts';

/** The part of process signal handling that the SDK uses. */
export interface SignalSource {
  on(signal: NodeJS.Signals, listener: () => void): void;
  off(signal: NodeJS.Signals, listener: () => void): void;
  listenerCount(signal: NodeJS.Signals): number;
  /** Ends this process by the signal. */
  raise(signal: NodeJS.Signals): void;
}

/** Everything that the SDK takes from its environment, except calls to instances. Tests can replace parts of it. */
export interface Runtime extends Pick<Clock, 'monotonicMs' | 'after'> {
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** 128 random bits in hex, unguessable. */
  readonly randomId: () => string;
  /** A name for this machine, for default instance ids. */
  hostName(): string;
  processId(): number;
  readonly signals: SignalSource;
  /** Emits a process warning about something that has no listener. `cause`: the thrown value, if any. */
  warn(message: string, cause?: unknown): void;
  /** How to reach registry servers. @default HTTP, as the options say */
  readonly transport?: RegistryTransport;
}
