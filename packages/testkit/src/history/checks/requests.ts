import type { RequestHappening, TallyHappening } from '../facts/history-event.ts';
import { overlaps } from '../facts/span.ts';
import { faultsOf } from '../facts/truth.ts';
import { type Check, only, type Run, type Violation } from './check.ts';

/** Seconds of `minPerSecond` that a caller may have accumulated. */
const RESERVE_SECONDS = 10;

/** Finds callers that retried more often than their budget allowed. */
export const checkRetries: Check = (run) => {
  const told = Map.groupBy(only(run.events, 'tally'), ({ caller }) => caller);
  const counted = Map.groupBy(only(run.events, 'request'), ({ caller }) => caller);
  for (const [caller, requests] of counted) {
    if (!told.has(caller)) told.set(caller, talliesOf(requests));
  }
  return [...told.values()].flatMap((tallies) => overspent(tallies, run));
};

function talliesOf(requests: readonly RequestHappening[]): TallyHappening[] {
  let [calls, retries] = [0, 0];
  const [first] = requests;
  if (first === undefined) return [];
  const tally = { kind: 'tally', caller: first.caller } as const;
  const counted = requests.map(({ atMs, attempts = 1 }) => {
    calls++;
    retries += attempts - 1;
    return { ...tally, atMs, calls, retries };
  });
  return [{ ...tally, atMs: first.invokedMs, calls: 0, retries: 0 }, ...counted];
}

function overspent(tallies: readonly TallyHappening[], { limits }: Run): Violation[] {
  const { ratio, minPerSecond, burst } = limits.retries;
  const reserve = Math.min(minPerSecond * RESERVE_SECONDS, burst);
  // The balance at the first tally is unknown: assume the largest possible one.
  let before = tallies[0];
  if (before === undefined) return [];
  let tokens = Math.min(burst, before.calls * ratio + reserve);
  for (const now of tallies.slice(1)) {
    const seconds = (now.atMs - before.atMs) / 1_000;
    const brought = (now.calls - before.calls) * ratio + seconds * minPerSecond;
    tokens += brought - (now.retries - before.retries);
    if (tokens < -1) {
      const message = `${now.caller} retried ${now.retries} times in ${now.calls} calls`;
      return [
        {
          promise: 'G7',
          kind: 'retried-too-soon',
          atMs: now.atMs,
          message,
          evidence: [before, now],
        },
      ];
    }
    tokens = Math.min(tokens, burst);
    before = now;
  }
  return [];
}

/** Finds requests that may be repeated but failed although an instance was available. */
export const checkFailed: Check = (run) =>
  only(run.events, 'request').flatMap((request) => {
    const { caller, failed, isIdempotent, atMs } = request;
    if (failed === undefined || !isIdempotent || !hadSomebody(request, run)) return [];
    const message = `a request of ${caller} that may be repeated failed: ${failed}`;
    return [{ promise: 'G8', kind: 'failed', atMs, message, evidence: [request] }];
  });

/** Whether an instance was running and reachable for the caller all the time. */
function hadSomebody({ caller, invokedMs, atMs }: RequestHappening, { truth }: Run): boolean {
  const stretch = { fromMs: invokedMs, toMs: atMs };
  if (faultsOf(truth, [caller], stretch).length > 0) return false;
  return [...truth.instances.values()].some(
    ({ instance, awake, leases }) =>
      leases.some(({ what, atMs: grantedMs }) => what === 'granted' && grantedMs < invokedMs) &&
      awake.some(({ fromMs, toMs }) => fromMs <= invokedMs && toMs >= atMs) &&
      !truth.faults.some((one) => one.breaks.includes(instance) && overlaps(one, stretch)),
  );
}

/** Finds requests that must not be repeated but were executed twice, or that were answered but never executed. */
export const checkRepeated: Check = ({ events }) => {
  const executed = Map.groupBy(only(events, 'executed'), ({ serial }) => serial);
  return only(events, 'request').flatMap((request): Violation[] => {
    const { serial, isIdempotent, atMs, failed } = request;
    if (serial === undefined) return [];
    const done = executed.get(serial) ?? [];
    const isTwice = !isIdempotent && done.length > 1;
    const isNever = executed.size > 0 && done.length === 0 && failed === undefined;
    if (!isTwice && !isNever) return [];
    const message = isTwice
      ? `request ${serial}, which must not be repeated, was done ${done.length} times`
      : `request ${serial} was answered and never done`;
    return [{ promise: 'G8', kind: 'repeated', atMs, message, evidence: [request, ...done] }];
  });
};
