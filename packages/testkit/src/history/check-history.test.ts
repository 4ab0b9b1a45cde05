import { describe, expect, test } from 'vitest';
import { checkHistory } from './check-history.ts';
import type {
  FaultHappening,
  HistoryEvent,
  LeaseHappening,
  ProcessHappening,
  RequestHappening,
  Seen,
} from './facts/history-event.ts';
import { History, reportOf } from './history.ts';

const TTL_MS = 3_000;
const BOUNDS = { ttlMs: TTL_MS };

const life = (
  instance: string,
  what: ProcessHappening['what'],
  atMs: number,
  process = instance,
): HistoryEvent => ({ kind: 'process', service: 's', instance, process, what, atMs });

const call = (
  instance: string,
  what: LeaseHappening['what'],
  atMs: number,
  nonce = `${instance}1`,
): HistoryEvent => ({
  kind: 'lease',
  instance,
  lease: `lease-${nonce}`,
  what,
  invokedMs: atMs - 5,
  atMs,
  ttlMs: TTL_MS,
  nonce,
});

/** Heartbeats from a first to a last moment. */
function renewals(instance: string, fromMs: number, toMs: number, nonce?: string): HistoryEvent[] {
  const all: HistoryEvent[] = [];
  for (let atMs = fromMs; atMs <= toMs; atMs += TTL_MS / 3) {
    all.push(call(instance, 'renewed', atMs, nonce));
  }
  return all;
}

/** On the roll from 0 on, with heartbeats. */
const onRoll = (instance: string, untilMs: number): HistoryEvent[] => [
  life(instance, 'started', 0),
  call(instance, 'granted', 10),
  ...renewals(instance, 1_000, untilMs),
];

/** What a watcher holds; `a?` is a in tier 1. */
function seen(atMs: number, names: string, over: Partial<Seen> = {}): HistoryEvent {
  const endpoints = names.split(' ').flatMap((name) => {
    if (name === '') return [];
    return [{ instance: name.replace('?', ''), tier: name.endsWith('?') ? 1 : 0 } as const];
  });
  const own = { watcher: 'w', service: 's', revision: `${atMs}`, cause: 'change' } as const;
  return { kind: 'seen', atMs, endpoints, ...own, ...over };
}

const fault = (name: string, fromMs: number, toMs: number, ...breaks: string[]): HistoryEvent[] => {
  const at = (what: FaultHappening['what'], atMs: number): FaultHappening => ({
    kind: 'fault',
    name,
    what,
    atMs,
    breaks,
  });
  return [at('begin', fromMs), at('end', toMs)];
};

const request = (atMs: number, over: Partial<RequestHappening> = {}): HistoryEvent => ({
  kind: 'request',
  caller: 'c',
  invokedMs: atMs - 2,
  atMs,
  isIdempotent: true,
  ...over,
});

const promises = (...events: HistoryEvent[]) =>
  checkHistory(events, BOUNDS).violations.map(({ promise }) => promise);

describe('G1', () => {
  test('one whose lease ended is lost rightly, and one that is dead, and one that left', () => {
    const evicted = [life('a', 'started', 0), call('a', 'granted', 10), seen(100, 'a')];
    expect(promises(...evicted, seen(5_000, ''))).toEqual([]);
    expect(promises(...onRoll('a', 4_000), seen(100, 'a'), life('a', 'killed', 4_100))).toEqual([]);
    const left = [call('a', 'released', 4_500), life('a', 'left', 4_600), seen(4_700, '')];
    expect(promises(...onRoll('a', 4_000), seen(100, 'a'), ...left)).toEqual([]);
  });

  test('one with a lease that stands is not', () => {
    const history = [...onRoll('a', 9_000), seen(100, 'a'), seen(8_000, '')];
    const { violations, figures } = checkHistory(history, BOUNDS);
    expect(violations).toMatchObject([{ promise: 'G1', atMs: 8_000 }]);
    expect(figures.falseEvictions).toBe(1);
    expect(reportOf(violations)).toContain('w lost a');
  });

  test('one that is cut off may be lost, until it is back', () => {
    const cut = [
      life('a', 'started', 0),
      call('a', 'granted', 10),
      seen(100, 'a'),
      ...fault('cut', 500, 6_000, 'a'),
    ];
    expect(promises(...cut, seen(4_000, ''))).toEqual([]);
    const back = [call('a', 'granted', 6_500), ...renewals('a', 7_500, 12_000), seen(6_600, 'a')];
    expect(promises(...cut, seen(4_000, ''), ...back)).toEqual([]);
    expect(promises(...cut, seen(4_000, ''), ...back, seen(11_000, ''))).toContain('G1');
  });

  test('a lease that stands is not forgotten, unless the store was', () => {
    const unknown = [...onRoll('a', 6_000), call('a', 'unknown', 6_500)];
    expect(promises(...unknown)).toEqual(['G1']);
    expect(promises(...unknown, ...fault('flush', 6_100, 6_200, 'store'))).toEqual([]);
    expect(
      promises(life('a', 'started', 0), call('a', 'granted', 10), call('a', 'unknown', 4_000)),
    ).toEqual([]);
  });
});

describe('G2', () => {
  const killed = [...onRoll('a', 4_000), ...onRoll('b', 9_000), life('a', 'killed', 4_500)];

  test('picks within the bound, and picks of a successor, are right', () => {
    const picks = [
      { kind: 'pick', caller: 'c', instance: 'a', atMs: 4_600 },
      { kind: 'pick', caller: 'c', instance: 'b', atMs: 8_000 },
    ] as const;
    const { violations, figures } = checkHistory([...killed, ...picks], BOUNDS);
    expect(violations).toEqual([]);
    expect(figures.killToLastPickMs).toEqual([100]);
    const successor = [life('a', 'started', 6_000, 'a2'), call('a', 'granted', 6_010, 'a2')];
    expect(promises(...killed, ...successor, { ...picks[0], atMs: 7_000 })).toEqual([]);
  });

  test('later ones are not', () => {
    expect(promises(...killed, { kind: 'pick', caller: 'c', instance: 'a', atMs: 4_800 })).toEqual([
      'G2',
    ]);
    expect(promises(...killed, request(4_900, { answeredBy: 'a' }))).toEqual(['G2']);
  });

  test('a silent host has a TTL and a second', () => {
    const silent = [...onRoll('a', 4_000), life('a', 'stopped', 4_500)];
    const pick = (atMs: number): HistoryEvent => ({
      kind: 'pick',
      caller: 'c',
      instance: 'a',
      atMs,
    });
    expect(promises(...silent, pick(8_000))).toEqual([]);
    expect(promises(...silent, pick(10_000))).toEqual(['G2']);
    expect(promises(...silent, life('a', 'continued', 9_800), pick(10_000))).toEqual([]);
  });

  test('nobody can tell while the registry is away', () => {
    const away = fault('registry killed', 4_400, 7_000, 'registry');
    const pick = { kind: 'pick', caller: 'c', instance: 'a', atMs: 6_000 } as const;
    expect(promises(...killed, ...away, pick)).toEqual([]);
    expect(promises(...killed, ...away, { ...pick, atMs: 16_000 })).toContain('G2');
  });
});

describe('G3', () => {
  test('rising revisions are right, and the same one shown again whole, and those of another store', () => {
    expect(
      promises(
        seen(1, '', { revision: '99', cause: 'snapshot' }),
        seen(2, 'a', { revision: '100' }),
        seen(3, 'a', { revision: '100', cause: 'snapshot' }),
      ),
    ).toEqual([]);
    const other = { revision: '5', cause: 'snapshot', epoch: 'e2' } as const;
    expect(promises(seen(1, 'a', { revision: '9', epoch: 'e1' }), seen(2, 'a', other))).toEqual([]);
  });

  test('the same change twice is not, nor an older picture', () => {
    expect(promises(seen(1, 'a', { revision: '9' }), seen(2, 'a', { revision: '9' }))).toEqual([
      'G3',
    ]);
    expect(
      promises(
        seen(1, 'a', { revision: '10' }),
        seen(2, 'a', { revision: '9', cause: 'snapshot' }),
      ),
    ).toEqual(['G3']);
  });

  test('two watchers at one revision hold the same', () => {
    const one = seen(1, 'a b', { revision: '9', epoch: 'e' });
    const two = (names: string) => seen(2, names, { revision: '9', epoch: 'e', watcher: 'v' });
    expect(promises(one, two('b a'))).toEqual([]);
    expect(promises(one, two('a'))).toEqual(['G3']);
  });
});

describe('G4', () => {
  const two = [...onRoll('a', 12_000), ...onRoll('b', 12_000), seen(100, 'a b')];
  const away = fault('flush', 4_000, 5_000, 'store');

  test('everybody in use again within a heartbeat', () => {
    const back = [...two, ...away, seen(4_500, 'a? b?'), seen(5_800, 'a b'), request(12_000)];
    const { violations, figures } = checkHistory(back, BOUNDS);
    expect(violations).toEqual([]);
    expect(figures.convergeMs).toEqual([800]);
  });

  test('somebody still doubted later, or somebody dead in use', () => {
    expect(promises(...two, ...away, seen(4_500, 'a? b'))).toEqual(['G4']);
    const dead = [...two, life('b', 'killed', 6_000), ...fault('late', 20_000, 21_000, 'store')];
    expect(promises(...dead, ...renewals('a', 13_000, 30_000))).toContain('G4');
    const gone = [...dead, seen(6_100, 'a b?'), seen(8_000, 'a'), ...renewals('a', 13_000, 30_000)];
    expect(promises(...gone)).toEqual([]);
  });
});

describe('G5', () => {
  const away = fault('redis gone', 4_000, 20_000, 'store');
  const two = [...onRoll('a', 3_500), ...onRoll('b', 3_500), seen(100, 'a b')];
  const back = [...renewals('a', 20_500, 26_000), ...renewals('b', 20_500, 26_000)];

  test('a store that is gone for long costs nobody his place', () => {
    expect(promises(...two, ...away, seen(20_100, 'a? b?'), seen(20_600, 'a b'), ...back)).toEqual(
      [],
    );
  });

  test('nor may anybody be missing, or everybody', () => {
    expect(promises(...two, ...away, seen(20_100, 'a'), seen(20_600, 'a b'), ...back)).toEqual([
      'G5',
    ]);
    const late = { watcher: 'late', cause: 'snapshot' } as const;
    expect(promises(...two, ...away, seen(19_000, '', late))).toEqual(['G5']);
  });

  test('who died or left meanwhile may', () => {
    const left = [call('b', 'released', 9_000), seen(9_100, 'a'), life('b', 'left', 9_200)];
    expect(
      promises(...two, ...away, ...left, seen(20_600, 'a'), ...renewals('a', 20_500, 26_000)),
    ).toEqual([]);
    expect(
      promises(...two, ...away, life('b', 'killed', 9_000), seen(24_000, 'a'), ...back),
    ).toEqual([]);
  });

  test('the deregistered do not come back, but by registering', () => {
    const left = [
      ...onRoll('a', 9_000),
      ...onRoll('b', 2_000),
      seen(100, 'a b'),
      call('b', 'released', 2_500),
      life('b', 'left', 2_600),
      seen(2_700, 'a'),
    ];
    expect(promises(...left)).toEqual([]);
    expect(promises(...left, seen(7_000, 'a b?'))).toEqual(['G5']);
    const newcomer = { watcher: 'new', cause: 'snapshot' } as const;
    expect(promises(...left, seen(8_000, 'a b', newcomer))).toEqual(['G5']);
    const again = [life('b', 'started', 6_000, 'b2'), call('b', 'granted', 6_900, 'b2')];
    expect(promises(...left, ...again, seen(7_000, 'a b'))).toEqual([]);
  });
});

describe('G6', () => {
  const taken = [
    life('a', 'started', 0),
    call('a', 'granted', 10, 'old'),
    life('a', 'stopped', 1_000),
    life('a', 'started', 4_000, 'a2'),
    call('a', 'granted', 4_010, 'new'),
    ...renewals('a', 5_000, 9_000, 'new'),
  ];

  test('the former process is told so', () => {
    expect(promises(...taken, call('a', 'superseded', 8_000, 'old'))).toEqual([]);
  });

  test('what it does has no effect', () => {
    expect(promises(...taken, call('a', 'renewed', 8_000, 'old'))).toEqual(['G6']);
    expect(promises(...taken, call('a', 'changed', 8_000, 'old'))).toEqual(['G6']);
    expect(promises(...taken, call('a', 'granted', 9_500, 'old'))).toEqual(['G6']);
  });
});

describe('G7', () => {
  const tally = (atMs: number, calls: number, retries: number): HistoryEvent => ({
    kind: 'tally',
    caller: 'c',
    atMs,
    calls,
    retries,
  });

  test('retries within what calls and time bring', () => {
    expect(promises(tally(0, 0, 0), tally(1_000, 1_000, 300))).toEqual([]);
    expect(promises(tally(0, 50_000, 9_000), tally(1_000, 51_000, 9_200))).toEqual([]);
  });

  test('more than that', () => {
    expect(promises(tally(0, 0, 0), tally(1_000, 1_000, 400))).toEqual(['G7']);
    const hammering = Array.from({ length: 100 }, (_, i) => request(i, { attempts: 3 }));
    expect(promises(...hammering)).toEqual(['G7']);
    expect(promises(...hammering.slice(0, 40))).toEqual([]);
  });
});

describe('G8', () => {
  const failed = request(5_000, { failed: 'refused' });

  test('a request may fail when nobody is there, when the caller is cut off, or when it must not be repeated', () => {
    expect(promises(failed)).toEqual([]);
    expect(promises(...onRoll('a', 4_000), life('a', 'killed', 4_900), failed)).toEqual([]);
    expect(promises(...onRoll('a', 6_000), ...fault('cut', 4_000, 6_000, 'c'), failed)).toEqual([]);
    const { violations, figures } = checkHistory(
      [...onRoll('a', 6_000), request(5_000, { failed: 'reset', isIdempotent: false })],
      BOUNDS,
    );
    expect(violations).toEqual([]);
    expect(figures).toMatchObject({ requests: 1, requestsFailed: 1, unrepeatableFailed: 1 });
  });

  test('and not otherwise', () => {
    expect(promises(...onRoll('a', 6_000), failed)).toEqual(['G8']);
  });

  test('what must not be repeated is done once, what was answered was done', () => {
    const done = (atMs: number): HistoryEvent => ({
      kind: 'executed',
      instance: 'a',
      serial: '1',
      atMs,
    });
    const post = request(5_000, { serial: '1', isIdempotent: false });
    expect(promises(done(4_999), post)).toEqual([]);
    expect(promises(done(4_998), done(4_999), post)).toEqual(['G8']);
    expect(promises(done(4_998), request(6_000, { serial: '2' }))).toEqual(['G8']);
  });
});

test('a long log keeps what later checks build on, and is short', () => {
  const history = new History();
  history.add(...onRoll('a', 60_000), ...onRoll('b', 60_000), seen(100, 'a b'));
  history.add(...onRoll('old', 9_000), life('old', 'killed', 9_500), seen(9_700, 'a b'));
  for (let atMs = 0; atMs < 60_000; atMs += 10) history.add(request(atMs, { answeredBy: 'a' }));
  const before = history.check(BOUNDS);
  expect(before.violations).toEqual([]);
  history.forget(59_000);
  expect(history.size).toBeLessThan(150);
  expect(history.events.some((one) => 'instance' in one && one.instance === 'old')).toBe(false);
  history.add(seen(60_500, 'a'));
  expect(history.check(BOUNDS).violations).toMatchObject([{ promise: 'G1', atMs: 60_500 }]);
});

test('what was before a moment is neither judged nor counted, and explains what came after', () => {
  const history = [...onRoll('a', 19_000), seen(100, 'a'), seen(8_000, ''), request(9_000)];
  const later = { ...BOUNDS, fromMs: 10_000 };
  const { violations, figures } = checkHistory(history, later);
  expect(violations).toEqual([]);
  expect(figures).toMatchObject({ requests: 0, falseEvictions: 0 });
  const lost = [...history, seen(11_000, 'a'), seen(12_000, '')];
  expect(checkHistory(lost, later).violations).toMatchObject([{ promise: 'G1', atMs: 12_000 }]);
});

test('the longest stale time is that of a dead one in use, or of one not yet there', () => {
  const { figures } = checkHistory(
    [
      ...onRoll('a', 9_000),
      seen(5, ''),
      seen(410, 'a'),
      life('a', 'killed', 5_000),
      seen(5_700, 'a?'),
      request(9_000),
    ],
    BOUNDS,
  );
  expect(figures.longestStaleMs).toBe(700);
});
