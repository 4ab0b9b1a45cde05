import type { FailureKind } from '@rollcall/balancing';
import type { Timer } from '@rollcall/runtime';
import type { EndpointRule } from './endpoint-filter.ts';
import type { EndpointChannel } from './endpoint-channel.ts';
import type { TrySource } from './next-try.ts';
import type { TryFailure } from './tries.ts';
import type { UnreadBodies } from './unread-bodies.ts';

/** What a call needs from the dispatcher that started it. */
export interface CallOwner extends TrySource {
  /** `namespace/service`, for messages. */
  readonly label: string;
  readonly unread: UnreadBodies;
  /** Monotonic, in ms. */
  nowMs(): number;
  /** Runs `act` after `ms`. */
  later(ms: number, act: () => void, options?: { readonly keepsAlive: boolean }): Timer;
  failed(channel: EndpointChannel, kind: FailureKind, failure: TryFailure): void;
  /** The head of an answer came `latencyMs` after the try began. */
  answered(channel: EndpointChannel, statusCode: number, latencyMs: number): void;
  /** Why a call finds no endpoint. */
  whyNone(endpoint?: EndpointRule): Error;
  /** The call ended without a response. */
  gaveUp(): void;
  /** The caller's handler threw when no response was awaited any more. */
  warn(message: string, error: unknown): void;
}
