import type { FrontReport, HandshakeReport } from '../front/front-report.ts';
import type { TargetReport } from '../groups/target-report.ts';
import type { TrafficReport } from '../traffic/group-traffic.ts';

type Numbers = Readonly<Record<string, number>>;

/** Values of a moment: what has ended has none. */
const LEVELS: readonly (keyof FrontReport['counters'])[] = ['connectionsOpen', 'requestsInFlight'];

const USED: ReadonlySet<TargetReport['state']> = new Set(['healthy', 'initial']);
/** The state of the targets of a process that has ended: it uses none. */
const ENDED = 'unused' as const;

/** The sum of what several processes have counted. */
export function mergeReports(reports: readonly FrontReport[]): FrontReport {
  const merged: { -readonly [K in keyof FrontReport]: FrontReport[K] } = {
    counters: sumOf(reports.map(({ counters }) => counters)),
    traffic: mergeByName(
      reports.map(({ traffic }) => traffic),
      mergeTraffic,
    ),
    targets: mergeByName(
      reports.map(({ targets }) => targets),
      mergeTargets,
    ),
    queues: sumOf(reports.map(({ queues }) => queues)),
    handshakes: mergeByName(
      reports.map(({ handshakes }) => handshakes),
      mergeHandshakes,
    ),
    droppedLines: reports.reduce((sum, { droppedLines }) => sum + droppedLines, 0),
  };
  return merged;
}

/** What remains of a report when its process has ended: what was done, without what was under way. */
export function withoutLevels(report: FrontReport): FrontReport {
  const counters = { ...report.counters };
  for (const key of LEVELS) counters[key] = 0;
  const handshakes = Object.entries(report.handshakes).map(
    ([name, one]) => [name, { ...one, underWay: 0 }] as const,
  );
  const targets = Object.entries(report.targets).map(
    ([name, all]) =>
      [name, all.map((target) => ({ ...target, inFlight: 0, state: ENDED }))] as const,
  );
  return {
    ...report,
    counters,
    queues: {},
    handshakes: Object.fromEntries(handshakes),
    targets: Object.fromEntries(targets),
  };
}

function mergeTraffic(reports: readonly TrafficReport[]): TrafficReport {
  return {
    byClass: sumLists(reports.map(({ byClass }) => byClass)),
    byReason: sumOf(reports.map(({ byReason }) => byReason)),
    durations: {
      count: reports.reduce((sum, { durations }) => sum + durations.count, 0),
      sumSeconds: reports.reduce((sum, { durations }) => sum + durations.sumSeconds, 0),
      counts: sumLists(reports.map(({ durations }) => durations.counts)),
    },
    requestBytes: reports.reduce((sum, { requestBytes }) => sum + requestBytes, 0),
    responseBytes: reports.reduce((sum, { responseBytes }) => sum + responseBytes, 0),
  };
}

function mergeHandshakes(reports: readonly HandshakeReport[]): HandshakeReport {
  const numbers = reports.map(({ full, resumed, underWay }) => ({ full, resumed, underWay }));
  return { ...sumOf(numbers), faults: sumOf(reports.map(({ faults }) => faults)) };
}

/** The same target in several processes is one. */
function mergeTargets(reports: readonly (readonly TargetReport[])[]): TargetReport[] {
  const byId = new Map<string, TargetReport[]>();
  for (const target of reports.flat()) {
    const same = byId.get(target.id);
    if (same === undefined) byId.set(target.id, [target]);
    else same.push(target);
  }
  return Array.from(byId.values(), mergeTarget);
}

function mergeTarget(same: readonly TargetReport[]): TargetReport {
  const first = same[0]!;
  const sums = sumOf(
    same.map(({ inFlight, requests, failures, connectFailures, connections }) => {
      return { inFlight, requests, failures, connectFailures, connections };
    }),
  );
  return { ...first, ...sums, ...standingOf(same) };
}

/**
 * The first one knows the registry and the checks; each of the others notices for itself how its requests end, and may
 * have ejected the target.
 */
function standingOf([first, ...others]: readonly TargetReport[]): Partial<TargetReport> {
  const ejected = others.find(({ state }) => state === 'ejected');
  if (first === undefined || ejected === undefined || !USED.has(first.state)) return {};
  const { state, reason, since } = ejected;
  const using = others.filter((other) => other.state !== ENDED);
  const count = using.filter((other) => other.state === state).length;
  if (count === using.length) return { state, reason, since };
  return { reason: `${first.reason}; ejected by ${count} of ${using.length} workers` };
}

function mergeByName<T>(
  records: readonly Readonly<Record<string, T>>[],
  merge: (values: readonly T[]) => T,
): Record<string, T> {
  const names = new Set(records.flatMap((record) => Object.keys(record)));
  const entries = Array.from(names, (name) => {
    const values = records.map((record) => record[name]).filter((value) => value !== undefined);
    return [name, merge(values)] as const;
  });
  return Object.fromEntries(entries);
}

function sumOf<T extends object>(records: readonly T[]): T {
  const sums: Record<string, number> = {};
  for (const record of records) {
    for (const [key, value] of Object.entries(record as Numbers))
      sums[key] = (sums[key] ?? 0) + value;
  }
  return sums as T;
}

function sumLists(lists: readonly (readonly number[])[]): number[] {
  const sums: number[] = [];
  for (const list of lists) list.forEach((value, i) => (sums[i] = (sums[i] ?? 0) + value));
  return sums;
}
