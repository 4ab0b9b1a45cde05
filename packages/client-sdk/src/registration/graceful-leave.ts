import { pause, within } from '@rollcall/runtime';
import type { Runtime } from '../base/runtime.ts';
import type { Served } from './leaving.ts';
import type { ResolvedDrain } from './registration-spec.ts';

/** How long to try to announce it, in ms: an unreachable registry must not prevent an instance from leaving. */
const ANNOUNCE_LIMIT_MS = 2_000;

/** What the instance does in the steps of leaving. */
export interface Leaving {
  readonly runtime: Runtime;
  /** Says that it is draining. */
  announce(): Promise<void>;
  /** Resolves when the work is over that the drain waits for, unless its options say it. */
  whenIdle(): Promise<void> | undefined;
  /** What serves its calls. */
  readonly served: readonly Served[];
  deregister(): Promise<void>;
}

/** Announces, gives callers time to see it, waits for work in progress, and takes the instance off the roll. */
export async function leaveGracefully(
  leaving: Leaving,
  { settleMs, whenIdle, idleTimeoutMs }: ResolvedDrain,
): Promise<void> {
  const { runtime, served } = leaving;
  const announcing = leaving.announce().catch(() => undefined);
  await within(runtime, ANNOUNCE_LIMIT_MS, announcing);
  await pause(runtime, settleMs);
  try {
    const isIdle = whenIdle ?? (() => leaving.whenIdle());
    await Promise.all([
      within(runtime, idleTimeoutMs, Promise.resolve(isIdle())),
      ...served.map((one) => one.end()),
    ]);
  } finally {
    await leaving.deregister();
  }
}
