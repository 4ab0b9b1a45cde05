import type { Rollcall } from '@rollcall/client-sdk';
import type { HistoryEvent } from '@rollcall/testkit';
import type { Node } from './node.ts';
import type { TransportParts } from './registry-transport.ts';

/** The only service of a simulation. */
export const SERVICE = 'orders';

/** What instances and watchers need from the simulated world. */
export interface SimulationContext {
  readonly nowMs: number;
  readonly ttlMs: number;
  /** A machine with a client of the registry. */
  client(
    name: string,
    told: Pick<TransportParts, 'onAnswered' | 'onEvent'>,
  ): { readonly node: Node; readonly rollcall: Rollcall };
  /** The next process number. */
  nextProcess(): number;
  /** Adds to the history that will be checked. */
  tell(...events: readonly HistoryEvent[]): void;
  /** Adds to the trace for readers. */
  note(text: string): void;
  /** Whether a process with this instance id is running. */
  isUp(instance: string): boolean;
}
