import type { Rollcall } from '@rollcall/client-sdk';
import type { Happening } from '@rollcall/testkit';
import type { Node } from './node.ts';
import type { ApiParts } from './registry-api.ts';

/** The one service of a simulation. */
export const SERVICE = 'orders';

/** What those who live in a world need of it. */
export interface Surroundings {
  readonly nowMs: number;
  readonly ttlMs: number;
  /** A machine with a client of the registry. */
  client(
    name: string,
    told: Pick<ApiParts, 'onAnswered' | 'onEvent'>,
  ): { readonly node: Node; readonly rollcall: Rollcall };
  /** Numbers the processes. */
  nextProcess(): number;
  /** Adds to the history that is checked. */
  tell(...happenings: readonly Happening[]): void;
  /** Adds to what people read. */
  note(text: string): void;
  /** Whether a process runs that has this instance id. */
  isUp(instance: string): boolean;
}
