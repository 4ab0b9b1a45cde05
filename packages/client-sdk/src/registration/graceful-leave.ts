import { pause, within } from '@rollcall/runtime';
import type { CallRequest } from '../registry/call-request.ts';
import type { Served } from './leaving.ts';
import type { Registrar } from './registrar.ts';
import type { ResolvedDrain } from './registration-spec.ts';

/** How long to try to announce it, in ms: an unreachable registry must not prevent an instance from leaving. */
const ANNOUNCE_LIMIT_MS = 2_000;

/** How long a server waits at most for callers to learn of a drain, in ms. */
const LONGEST_LOOK_MS = 30_000;

/** Pause before it is asked again, in ms. */
const ASK_AGAIN_MS = 100;

/** What the instance does in the steps of leaving. */
export interface Leaving {
  readonly registrar: Registrar;
  /** Path parameters of the instance. */
  readonly params: CallRequest<'drainSeen'>['params'];
  /** Says that it is draining. Resolves with the revision of that write. */
  announce(): Promise<string>;
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
  const { registrar, served } = leaving;
  const { runtime } = registrar.options;
  const announcing = leaving.announce().catch(() => undefined);
  const revision = await within(runtime, ANNOUNCE_LIMIT_MS, announcing);
  const startMs = runtime.monotonicMs();
  const asking = revision === undefined ? false : callersKnow(leaving, revision, settleMs);
  // Callers that are not heard of get all of the time.
  const isSeen = await within(
    runtime,
    settleMs,
    Promise.resolve(asking).catch(() => false),
  );
  const leftMs = startMs + settleMs - runtime.monotonicMs();
  if (isSeen !== true && leftMs > 0) await pause(runtime, leftMs);
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

/** Whether all callers know that the instance drains, after `withinMs` at most. */
async function callersKnow(
  { registrar: { client, options }, params }: Leaving,
  revision: string,
  withinMs: number,
): Promise<boolean> {
  const { runtime, requestTimeoutMs } = options;
  const deadlineMs = runtime.monotonicMs() + withinMs;
  for (;;) {
    const leftMs = Math.max(Math.ceil(deadlineMs - runtime.monotonicMs()), 0);
    const waitMs = Math.min(leftMs, LONGEST_LOOK_MS);
    const timeoutMs = waitMs + requestTimeoutMs;
    const call = { params, query: { revision, waitMs }, timeoutMs };
    const { seen } = await client.call('drainSeen', call);
    if (seen || runtime.monotonicMs() >= deadlineMs) return seen;
    // A server that shuts down answers at once; another one may know more.
    await pause(runtime, ASK_AGAIN_MS);
  }
}
