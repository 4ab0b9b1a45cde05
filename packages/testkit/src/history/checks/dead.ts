import type { PickHappening, RequestHappening } from '../facts/history-event.ts';
import { type Ending, faultsOf, type InstanceTruth } from '../facts/truth.ts';
import { type Check, only, type Run } from './check.ts';

/** The choice of an instance: a pick, or a request that it answered. */
interface Choice {
  readonly caller: string;
  readonly instance: string;
  readonly atMs: number;
  readonly evidence: PickHappening | RequestHappening;
}

function choicesIn({ events }: Run): Choice[] {
  const picks = only(events, 'pick').map((evidence) => ({ ...evidence, evidence }));
  const answers = only(events, 'request').flatMap((evidence) => {
    const { caller, answeredBy: instance, invokedMs: atMs } = evidence;
    return instance === undefined ? [] : [{ caller, instance, atMs, evidence }];
  });
  return [...picks, ...answers].toSorted((a, b) => a.atMs - b.atMs);
}

/** Each end of an instance, with the choices made of it between that and its return. */
function* afterlives(run: Run): Generator<{ own: InstanceTruth; ending: Ending; late: Choice[] }> {
  const choices = Map.groupBy(choicesIn(run), ({ instance }) => instance);
  for (const own of run.truth.instances.values()) {
    for (const ending of own.endings) {
      const late = (choices.get(own.instance) ?? []).filter(
        ({ atMs }) => atMs > ending.fromMs && atMs < ending.toMs,
      );
      yield { own, ending, late };
    }
  }
}

/** Latest time at which a choice of a dead instance is still allowed. */
function dueMs({ instance }: InstanceTruth, { how, fromMs }: Ending, caller: string, run: Run) {
  const { heldMs, ttlMs, heartbeatMs, slackMs, lagMs } = run.limits;
  const silentMs = ttlMs + 1_000 + slackMs;
  const bound = { killed: heldMs, stopped: silentMs, left: lagMs }[how];
  // A hold that was lost before the kill takes a moment to reopen.
  const sinceMs = fromMs - heartbeatMs - slackMs;
  let lastMs = fromMs + bound;
  for (;;) {
    const stretch = { fromMs: sinceMs, toMs: lastMs };
    const faults = faultsOf(run.truth, ['store', 'registry', instance, caller], stretch);
    // After such a fault, the store lets no lease expire for the length of the longest TTL;
    // another fault may follow meanwhile.
    const laterMs = Math.max(lastMs, ...faults.map(({ toMs }) => toMs + ttlMs + silentMs));
    if (laterMs === lastMs) return lastMs;
    lastMs = laterMs;
  }
}

/** Finds instances that were chosen too long after their end; reports only the last choice of each caller. */
export const checkDead: Check = (run) =>
  [...afterlives(run)].flatMap(({ own, ending, late }) => {
    const last = new Map(late.map((choice) => [choice.caller, choice]));
    return [...last.values()]
      .filter(({ caller, atMs }) => atMs > dueMs(own, ending, caller, run))
      .map(({ caller, atMs, evidence }) => {
        const afterMs = (atMs - ending.fromMs).toFixed(0);
        const message = `${caller} chose ${own.instance} ${afterMs} ms after it was ${ending.how}`;
        return { promise: 'G2', kind: 'dead-in-use', atMs, message, evidence: [evidence] };
      });
  });

/** For each kill of an instance: time until its last choice, in ms; 0 = it was never chosen again. */
export function killToLastPickMs(run: Run): number[] {
  return [...afterlives(run)].flatMap(({ ending, late }) =>
    ending.how === 'killed' && ending.fromMs > run.limits.fromMs
      ? [Math.max(0, (late.at(-1)?.atMs ?? 0) - ending.fromMs)]
      : [],
  );
}
