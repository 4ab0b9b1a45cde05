import type { RollcallError } from '../base/error.ts';

/** Whether the registry answers. `idle`: nothing was asked yet. */
export type ConnectionState = 'idle' | 'connecting' | 'connected' | 'unreachable';

/** Each tells of a change: none is repeated while the state stays the same. */
export interface ConnectionEvents {
  /** The first request is being sent. */
  connecting: () => void;
  /** A registry server answers: the first time, or again. */
  connected: (url: string) => void;
  /** Every url has failed in turn; the last error is the cause. The client keeps trying, and keeps its pictures. */
  unreachable: (error: RollcallError) => void;
}

/** Where the client writes what happens to it: `console`, pino, winston and others fit. */
export interface Logger {
  info(message: string): void;
  warn(message: string): void;
}
