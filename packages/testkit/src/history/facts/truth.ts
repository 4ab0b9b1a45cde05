import type { Limits } from './bounds.ts';
import type {
  FaultHappening,
  HistoryEvent,
  LeaseHappening,
  ProcessHappening,
} from './history-event.ts';
import { covers, overlaps, shared, type Span, united } from './span.ts';

/**
 * The end of an instance, or of one of its processes. `fromMs`: when it ended; `toMs`: when the next process with this
 * id started or this one continued; Infinity = never.
 */
export interface Ending extends Span {
  readonly how: 'killed' | 'stopped' | 'left';
}

export interface Fault extends Span {
  readonly name: string;
  readonly breaks: readonly string[];
}

/** The true history of one instance. */
export interface InstanceTruth {
  readonly instance: string;
  readonly service: string;
  /** When one of its processes was running. */
  readonly awake: readonly Span[];
  readonly endings: readonly Ending[];
  /** Its calls about leases, ordered by when they finished. */
  readonly leases: readonly LeaseHappening[];
  /** When it had to be in every picture, because its lease was valid and everything that it depends on worked. */
  readonly leased: readonly Span[];
  /** The same for times when store or registry were broken, or had just been: it must not be lost then either. */
  readonly sheltered: readonly Span[];
}

/** The reference model: the run as an all-knowing observer would describe it. */
export interface Truth {
  readonly untilMs: number;
  readonly faults: readonly Fault[];
  readonly instances: ReadonlyMap<string, InstanceTruth>;
}

/** Faults during a stretch that break one of these parts. */
export function faultsOf(truth: Truth, breaking: readonly string[], stretch: Span): Fault[] {
  return truth.faults.filter(
    (fault) => overlaps(fault, stretch) && fault.breaks.some((name) => breaking.includes(name)),
  );
}

/** Whether an instance had to be in the picture for the whole stretch, and by which promise. */
export function entitledBy(truth: InstanceTruth, stretch: Span): 'G1' | 'G5' | undefined {
  if (covers(truth.leased, stretch)) return 'G1';
  return covers(united([...truth.leased, ...truth.sheltered]), stretch) ? 'G5' : undefined;
}

export function truthOf(events: readonly HistoryEvent[], limits: Limits): Truth {
  const untilMs = events.reduce((latest, { atMs }) => Math.max(latest, atMs), -Infinity);
  const faults = faultsIn(events);
  const lives = Map.groupBy(
    events.filter((one) => one.kind === 'process'),
    ({ instance }) => instance,
  );
  const leases = Map.groupBy(
    events.filter((one) => one.kind === 'lease'),
    ({ instance }) => instance,
  );
  const instances = new Map<string, InstanceTruth>();
  for (const [instance, own] of lives) {
    const calls = leases.get(instance) ?? [];
    instances.set(instance, instanceTruth({ instance, own, calls }, faults, limits));
  }
  return { untilMs, faults, instances };
}

function faultsIn(events: readonly HistoryEvent[]): Fault[] {
  const open = new Map<string, FaultHappening>();
  const faults: Fault[] = [];
  const close = ({ name, atMs, breaks = [] }: FaultHappening, toMs: number) =>
    faults.push({ name, breaks, fromMs: atMs, toMs });
  for (const one of events) {
    if (one.kind !== 'fault') continue;
    const begun = open.get(one.name);
    if (begun !== undefined) close(begun, one.atMs);
    open.delete(one.name);
    if (one.what === 'begin') open.set(one.name, one);
  }
  for (const begun of open.values()) close(begun, Infinity);
  return faults.toSorted((a, b) => a.fromMs - b.fromMs);
}

interface Material {
  readonly instance: string;
  readonly own: readonly ProcessHappening[];
  readonly calls: readonly LeaseHappening[];
}

function instanceTruth(
  { instance, own, calls }: Material,
  faults: readonly Fault[],
  limits: Limits,
): InstanceTruth {
  const awake = awakeSpans(own);
  const leases = calls.toSorted((a, b) => a.atMs - b.atMs);
  const cuts = faults.filter(({ breaks }) => breaks.includes(instance));
  const uncut = unbroken(awake, [...cuts, ...departures(leases)]);
  const leased = shared(leasedSpans(leases, cuts), awake);
  const central = faults.filter(({ breaks }) =>
    breaks.some((name) => name === 'store' || name === 'registry'),
  );
  return {
    instance,
    service: own[0]?.service ?? '',
    awake,
    endings: endingsOf(own, awake),
    leases,
    leased,
    sheltered: shelteredSpans(leased, { central, uncut, leases }, limits),
  };
}

/** From each deregistration call until the next grant. */
function departures(leases: readonly LeaseHappening[]): Span[] {
  return leases.flatMap(({ what, invokedMs: fromMs }) => {
    if (what !== 'released') return [];
    const back = leases.find((one) => one.what === 'granted' && one.invokedMs > fromMs);
    return [{ fromMs, toMs: back?.atMs ?? Infinity }];
  });
}

function awakeSpans(own: readonly ProcessHappening[]): Span[] {
  const since = new Map<string, number>();
  const spans: Span[] = [];
  for (const { process, instance, what, atMs } of own) {
    const key = process ?? instance;
    const fromMs = since.get(key);
    const isUp = what === 'started' || what === 'continued';
    if (isUp && fromMs === undefined) since.set(key, atMs);
    if (isUp || fromMs === undefined) continue;
    since.delete(key);
    spans.push({ fromMs, toMs: atMs });
  }
  for (const fromMs of since.values()) spans.push({ fromMs, toMs: Infinity });
  return united(spans);
}

function endingsOf(own: readonly ProcessHappening[], awake: readonly Span[]): Ending[] {
  return own.flatMap(({ what, atMs }) => {
    if (what === 'started' || what === 'continued') return [];
    if (!awake.some(({ toMs }) => toMs === atMs)) return [];
    const next = awake.find(({ fromMs }) => fromMs > atMs)?.fromMs ?? Infinity;
    return [{ how: what, fromMs: atMs, toMs: next }];
  });
}

/** The spans without the time of the faults. */
function unbroken(spans: readonly Span[], faults: readonly Span[]): Span[] {
  const edges = united(faults);
  const whole: Span[] = [];
  let fromMs = -Infinity;
  for (const edge of edges) {
    whole.push({ fromMs, toMs: edge.fromMs });
    fromMs = edge.toMs;
  }
  whole.push({ fromMs, toMs: Infinity });
  return shared(spans, whole);
}

/**
 * From the response to a grant or renewal until its TTL after the call started: the store's deadline cannot be earlier.
 * A fault that cuts the instance off, its release and the call of a successor end it.
 */
function leasedSpans(leases: readonly LeaseHappening[], cuts: readonly Fault[]): Span[] {
  const grants = leases.filter(({ what }) => what === 'granted');
  const ends = leases.filter(({ what }) => what === 'released');
  const spans = leases.flatMap((call) => {
    if (call.what !== 'granted' && call.what !== 'renewed') return [];
    const dueMs = call.invokedMs + call.ttlMs;
    const cut = cuts.find((one) => overlaps(one, { fromMs: call.invokedMs, toMs: dueMs }));
    const successor = grants.find(
      ({ nonce, atMs }) => nonce !== call.nonce && atMs >= call.invokedMs,
    );
    // A process that registered again leaves with its last lease, which ends the earlier ones too.
    const release = ends.find(({ nonce, atMs }) => nonce === call.nonce && atMs >= call.invokedMs);
    const toMs = Math.min(
      dueMs,
      cut?.fromMs ?? Infinity,
      successor?.invokedMs ?? Infinity,
      release?.invokedMs ?? Infinity,
    );
    return [{ fromMs: call.atMs, toMs }];
  });
  return united(spans);
}

interface Shelter {
  /** Faults of store or registry. */
  readonly central: readonly Fault[];
  /** When it was running and reachable. */
  readonly uncut: readonly Span[];
  readonly leases: readonly LeaseHappening[];
}

/**
 * An instance that was on the roll when store or registry broke, and stayed running and reachable, must not be lost
 * before it could send a heartbeat after the recovery.
 */
function shelteredSpans(
  leased: readonly Span[],
  { central, uncut, leases }: Shelter,
  { heartbeatMs, slackMs }: Limits,
): Span[] {
  const sheltered: Span[] = [];
  for (const { fromMs, toMs } of central) {
    const life = uncut.find((one) => one.fromMs <= fromMs && fromMs <= one.toMs);
    const known = united([...leased, ...sheltered]);
    if (life === undefined || !covers(known, { fromMs, toMs: fromMs })) continue;
    const release = leases.find(({ what, atMs }) => what === 'released' && atMs >= fromMs);
    const ends = [toMs + heartbeatMs + slackMs, life.toMs, release?.invokedMs ?? Infinity];
    sheltered.push({ fromMs, toMs: Math.min(...ends) });
  }
  return united(sheltered);
}
