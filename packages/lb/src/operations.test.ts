import { startNode } from '@rollcall/testkit';
import { once } from 'node:events';
import { expect, onTestFinished, test } from 'vitest';
import { endpoint, FakeSource } from './testing/fake-source.ts';
import { FileBench, startTarget } from './testing/file-bench.ts';

const MAIN = new URL('main.ts', import.meta.url).pathname;
const WAIT = { timeout: 60_000 };

interface Shown {
  readonly zoneShifts: readonly { zone: string; until: string; isForced: boolean }[];
  readonly targetGroups: readonly {
    readonly name: string;
    readonly drains: readonly { target: string; isForced: boolean }[];
    readonly targets: readonly { id: string; state: string; reason: string }[];
  }[];
}

class OperatedBench {
  readonly source = new FakeSource([]);
  readonly ports: number[] = [];
  readonly bench: FileBench;
  readonly more: string;

  private constructor(bench: FileBench, more: string, source: FakeSource, ports: number[]) {
    this.bench = bench;
    this.more = more;
    this.source = source;
    this.ports = ports;
  }

  /** Three targets, whose answers are a, b, and c, in the zones x, x and y. */
  static async start(more = ''): Promise<OperatedBench> {
    const ports = await Promise.all(['a', 'b', 'c'].map((answer) => startTarget(answer)));
    const zones = ['x', 'x', 'y'];
    const source = new FakeSource(ports.map((port, at) => endpoint(port, { zone: zones[at]! })));
    const parts = OperatedBench.parts(more);
    const bench = await FileBench.start(parts, { openSource: () => source });
    return new OperatedBench(bench, more, source, ports);
  }

  static parts(more: string, settings = '') {
    return {
      listeners: '[{ name: web, port: 0, default: { targetGroup: hello } }]',
      targetGroups: `{ hello: { service: hello ${settings} } }`,
      more,
    };
  }

  async post(path: string, headers: Record<string, string> = {}) {
    const reply = await fetch(this.bench.admin + path, { method: 'POST', headers });
    return { status: reply.status, body: (await reply.json()) as Record<string, unknown> };
  }

  /** Until exactly these answer, by whichever process. */
  async answers(expected: string): Promise<void> {
    const seen = async () => {
      const all = await Promise.all(
        Array.from({ length: 24 }, async () => {
          const headers = { connection: 'close' };
          const reply = await fetch(this.bench.url(), { headers });
          return reply.ok ? reply.text() : `${reply.status}`;
        }),
      );
      return [...new Set(all)].toSorted().join(' ');
    };
    await expect.poll(seen, WAIT).toBe(expected);
  }

  async shown(): Promise<Shown> {
    return (await (await fetch(`${this.bench.admin}/targets`)).json()) as Shown;
  }

  id(at: number): string {
    return `i${this.ports[at]!}/http`;
  }
}

test.each(['', 'workers: 2'])(
  'a target is drained and comes back, over a reload too: %s',
  async (more) => {
    const bench = await OperatedBench.start(more);
    await bench.answers('a b c');
    const path = `/targets/hello/${encodeURIComponent(bench.id(0))}`;
    expect(await bench.post(`${path}/drain`)).toEqual({
      status: 200,
      body: { group: 'hello', target: bench.id(0), isDrained: true, inFlight: 0 },
    });
    await bench.answers('b c');
    const { targetGroups } = await bench.shown();
    expect(targetGroups[0]).toMatchObject({ drains: [{ target: bench.id(0), isForced: false }] });
    const drained = targetGroups[0]!.targets.find(({ id }) => id === bench.id(0));
    expect(drained).toMatchObject({ state: 'draining', reason: 'drained by an operator' });
    const changed = OperatedBench.parts(more, ', policy: p2c, namespace: other');
    expect(await bench.bench.apply(changed)).toMatchObject({ result: 'applied' });
    await bench.answers('b c');
    // It registers again.
    const all = bench.source.endpoints()!;
    bench.source.show(...all.slice(1));
    bench.source.show(...all);
    await bench.answers('b c');
    expect(await bench.post(`${path}/undrain`)).toMatchObject({
      status: 200,
      body: { wasDrained: true },
    });
    await bench.answers('a b c');
    expect((await bench.shown()).targetGroups[0]!.drains).toEqual([]);
    const reply = await fetch(
      `${bench.bench.admin}/targets/history?target=${encodeURIComponent(bench.id(0))}`,
    );
    const { targetGroups: groups } = (await reply.json()) as {
      targetGroups: { targets: { changes: { event: string }[] }[] }[];
    };
    const events = groups[0]!.targets[0]!.changes.map(({ event }) => event);
    expect(events.at(-1)).toBe('healthy');
  },
);

test.each(['', 'workers: 2'])('a zone is shifted away for a while: %s', async (more) => {
  const bench = await OperatedBench.start(more);
  await bench.answers('a b c');
  const { status, body } = await bench.post('/zones/x/shift?for=2s');
  expect(status).toBe(200);
  expect(Date.parse(body['until'] as string) - Date.parse(body['since'] as string)).toBe(2_000);
  expect((await bench.shown()).zoneShifts).toMatchObject([{ zone: 'x', isForced: false }]);
  await bench.answers('c');
  await bench.answers('a b c');
  expect((await bench.shown()).zoneShifts).toEqual([]);
  expect(await bench.post('/zones/x/shift?for=1h')).toMatchObject({ status: 200 });
  await bench.answers('c');
  expect(await bench.post('/zones/x/unshift')).toMatchObject({ body: { wasShifted: true } });
  await bench.answers('a b c');
});

test('nothing is taken away that leaves a group without targets, unless it is forced', async () => {
  const bench = await OperatedBench.start();
  await bench.post(`/targets/hello/127.0.0.1:${bench.ports[2]!}/drain`);
  await bench.answers('a b');
  expect(await bench.post('/zones/x/shift?for=1h')).toMatchObject({
    status: 409,
    body: { code: 'nothing_left', detail: expect.stringContaining('hello') as string },
  });
  await bench.post(`/targets/hello/i${bench.ports[0]!}/drain`);
  await bench.answers('b');
  const last = `/targets/hello/i${bench.ports[1]!}/drain`;
  expect(await bench.post(last)).toMatchObject({ status: 409, body: { code: 'nothing_left' } });
  await bench.answers('b');
  expect(await bench.post(`${last}?force=true`)).toMatchObject({ status: 200 });
  // Those that are drained without force are better than nobody.
  await bench.answers('a c');
  expect(await bench.post('/zones/x/shift?for=1h&force=true')).toMatchObject({ status: 200 });
  await bench.post(`/targets/hello/i${bench.ports[2]!}/undrain`);
  await bench.answers('c');
});

test.each([
  ['/targets/nobody/x/drain', 404, 'unknown_group'],
  ['/targets/hello/nobody/drain', 404, 'unknown_target'],
  ['/targets/hello/nobody/undrain', 404, 'unknown_target'],
  ['/zones/nowhere/shift?for=1m', 404, 'unknown_zone'],
  ['/zones/x/shift', 400, 'invalid_duration'],
  ['/zones/x/shift?for=forever', 400, 'invalid_duration'],
  ['/zones/x/shift?for=1m&force=yes', 400, 'invalid_request'],
  ['/zones/x/shift?for=1m&foce=true', 400, 'invalid_request'],
  ['/zones/x/nothing', 404, 'not_found'],
])('%s: %d %s', async (path, status, code) => {
  const bench = await OperatedBench.start();
  expect(await bench.post(path)).toMatchObject({ status, body: { status, code } });
  await bench.answers('a b c');
});

test('no page of another origin may do it, and no GET does', async () => {
  const bench = await OperatedBench.start();
  const path = `/targets/hello/i${bench.ports[0]!}/drain`;
  for (const headers of [
    { origin: 'https://evil.example' },
    { 'sec-fetch-site': 'cross-site' },
    { 'content-type': 'text/plain' },
    { 'content-type': 'application/x-www-form-urlencoded' },
  ] as Record<string, string>[]) {
    const init = { method: 'POST', headers, body: 'a=b' };
    expect((await fetch(bench.bench.admin + path, init)).status).toBeGreaterThan(400);
  }
  expect((await fetch(bench.bench.admin + path)).status).toBe(404);
  await bench.answers('a b c');
});

/** What a command prints, and its exit code. */
async function run(...words: string[]) {
  const child = startNode(MAIN, words);
  onTestFinished(async () => void (await child.stop('SIGKILL')));
  if (!child.hasExited) await once(child.child, 'close');
  return { output: child.output, code: child.child.exitCode };
}

test('commands do the same', async () => {
  const bench = await OperatedBench.start();
  const admin = ['--admin', bench.bench.admin];
  const name = `hello/i${bench.ports[0]!}`;
  const all = await run('--targets', ...admin);
  expect(all.code).toBe(0);
  expect(all.output).toMatch(/^GROUP +TARGET +ADDRESS +ZONE +STATE +SINCE +IN-FLIGHT +REASON\n/);
  expect(all.output.trimEnd().split('\n')).toHaveLength(4);
  expect(all.output).toContain(`hello  ${bench.id(0)}  127.0.0.1:${bench.ports[0]!}`);
  expect(await run('--drain', name, ...admin)).toMatchObject({
    code: 0,
    output: expect.stringContaining(`${bench.id(0)} is drained`) as string,
  });
  await bench.answers('b c');
  expect(await run('--shift-zone', 'x', '--for', '1h', ...admin)).toMatchObject({ code: 0 });
  await bench.answers('c');
  expect((await run('--targets', ...admin)).output).toMatch(/^zone x gets none until /);
  expect(await run('--shift-zone', 'y', '--for', '1h', ...admin)).toMatchObject({
    code: 1,
    output: expect.stringContaining('rollcall-lb: no target would be left') as string,
  });
  expect(await run('--unshift-zone', 'x', ...admin)).toMatchObject({ code: 0 });
  expect(await run('--undrain', name, ...admin)).toMatchObject({ code: 0 });
  await bench.answers('a b c');
  expect(await run('--drain', 'hello', ...admin)).toMatchObject({ code: 2 });
  expect(await run('--shift-zone', 'x', ...admin)).toMatchObject({ code: 2 });
  expect(await run('--targets', '--admin', 'http://127.0.0.1:1')).toMatchObject({
    code: 1,
    output: 'rollcall-lb: no answer from http://127.0.0.1:1: ECONNREFUSED\n',
  });
});

test.each(['', 'workers: 2'])(
  'requests in progress are counted, and may finish: %s',
  async (more) => {
    const held: (() => void)[] = [];
    const port = await startTarget(
      (_request, response) => void held.push(() => response.end('late')),
    );
    const source = new FakeSource([endpoint(port), endpoint(await startTarget('b'))]);
    const parts = OperatedBench.parts(more, ', policy: rr');
    const bench = await FileBench.start(parts, { openSource: () => source });
    const asked = Array.from({ length: 12 }, async () => (await fetch(bench.url())).text());
    let answered = 0;
    for (const one of asked) void one.then(() => answered++);
    // What goes to the other one is answered.
    await expect.poll(() => held.length + answered, WAIT).toBe(12);
    expect(held.length).toBeGreaterThan(0);
    const drain = async () => {
      const reply = await fetch(`${bench.admin}/targets/hello/i${port}/drain`, { method: 'POST' });
      return ((await reply.json()) as { inFlight: number }).inFlight;
    };
    await expect.poll(drain, WAIT).toBe(held.length);
    for (const answer of held) answer();
    const answers = await Promise.all(asked);
    expect(answers.filter((answer) => answer === 'late')).toHaveLength(held.length);
    expect(new Set(answers)).toEqual(new Set(['b', 'late']));
    expect(await (await fetch(bench.url())).text()).toBe('b');
  },
);
