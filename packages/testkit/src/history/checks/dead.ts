import type { PickHappening, RequestHappening } from '../facts/happening.ts';
import { type Ending, faultsOf, type InstanceTruth } from '../facts/truth.ts';
import { type Check, only, type Run } from './check.ts';

/** A choice of an instance: a pick as such, or a request that it answered. */
interface Choice {
  readonly caller: string;
  readonly instance: string;
  readonly atMs: number;
  readonly evidence: PickHappening | RequestHappening;
}

function choicesIn({ happenings }: Run): Choice[] {
  const picks = only(happenings, 'pick').map((evidence) => ({ ...evidence, evidence }));
  const answers = only(happenings, 'request').flatMap((evidence) => {
    const { caller, answeredBy: instance, invokedMs: atMs } = evidence;
    return instance === undefined ? [] : [{ caller, instance, atMs, evidence }];
  });
  return [...picks, ...answers].toSorted((a, b) => a.atMs - b.atMs);
}

/** Each end of an instance with who chose it between that and its return. */
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

/** When the last choice of a dead instance is still within what is promised. */
function dueMs({ instance }: InstanceTruth, { how, fromMs }: Ending, caller: string, run: Run) {
  const { heldMs, ttlMs, heartbeatMs, slackMs, lagMs } = run.limits;
  const silentMs = ttlMs + 1_000 + slackMs;
  const bound = { killed: heldMs, stopped: silentMs, left: lagMs }[how];
  // A hold that was lost before the kill takes a moment to be opened again.
  const sinceMs = fromMs - heartbeatMs - slackMs;
  let lastMs = fromMs + bound;
  for (;;) {
    const stretch = { fromMs: sinceMs, toMs: lastMs };
    const faults = faultsOf(run.truth, ['store', 'registry', instance, caller], stretch);
    // After one, the store lets no lease end for as long as the longest lasts; another may come meanwhile.
    const laterMs = Math.max(lastMs, ...faults.map(({ toMs }) => toMs + ttlMs + silentMs));
    if (laterMs === lastMs) return lastMs;
    lastMs = laterMs;
  }
}

/** An instance that was chosen too long after its end; the last choice of each caller stands for all. */
export const checkDead: Check = (run) =>
  [...afterlives(run)].flatMap(({ own, ending, late }) => {
    const last = new Map(late.map((choice) => [choice.caller, choice]));
    return [...last.values()]
      .filter(({ caller, atMs }) => atMs > dueMs(own, ending, caller, run))
      .map(({ caller, atMs, evidence }) => {
        const afterMs = (atMs - ending.fromMs).toFixed(0);
        const message = `${caller} chose ${own.instance} ${afterMs} ms after it was ${ending.how}`;
        return { promise: 'G2', atMs, message, evidence: [evidence] };
      });
  });

/** For each kill of an instance, how long after it the last choice was, in ms; 0 = it was never chosen again. */
export function killToLastPickMs(run: Run): number[] {
  return [...afterlives(run)].flatMap(({ ending, late }) =>
    ending.how === 'killed' && ending.fromMs > run.limits.fromMs
      ? [Math.max(0, (late.at(-1)?.atMs ?? 0) - ending.fromMs)]
      : [],
  );
}
