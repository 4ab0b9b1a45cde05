import type { Endpoint } from '@rollcall/client-sdk';
import { pause, systemClock } from '@rollcall/runtime';

export interface UntilOptions {
  /** How long to wait, in ms of real time, whatever the registry's clock. @default 5000 */
  readonly timeoutMs?: number;
}

const EVERY_MS = 5;

export interface Awaited {
  readonly name: string;
  readonly read: () => readonly Endpoint[] | Promise<readonly Endpoint[]>;
}

/** Resolves with the endpoints once the condition holds; rejects with what is there when the time is over. */
export async function endpointsUntil(
  { name, read }: Awaited,
  holds: (endpoints: readonly Endpoint[]) => boolean,
  { timeoutMs = 5_000 }: UntilOptions,
): Promise<readonly Endpoint[]> {
  const endMs = systemClock.monotonicMs() + timeoutMs;
  for (;;) {
    const endpoints = await read();
    if (holds(endpoints)) return endpoints;
    if (systemClock.monotonicMs() >= endMs)
      throw new Error(
        `after ${timeoutMs} ms ${name} has ${shown(endpoints)}, and what was waited for has not come`,
      );
    await pause(systemClock, EVERY_MS);
  }
}

function shown(endpoints: readonly Endpoint[]): string {
  if (endpoints.length === 0) return 'no endpoints';
  return endpoints
    .map(
      ({ id, address, port, state, tier }) =>
        `${id} at ${address}:${port} (${state}, tier ${tier})`,
    )
    .join(', ');
}
