import { LATENCY_BOUNDS_MS } from '@rollcall/contract';
import { until } from '@rollcall/testkit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { NGINX } from '../testing/manifests.ts';
import { TestCli } from '../testing/test-cli.ts';

let cli: TestCli;

beforeEach(async () => {
  cli = await TestCli.start();
  await cli.register('web/a', 3001, { labels: { app: 'nginx' } });
  await cli.register('web/b', 3002);
});
afterEach(() => cli.close());

interface Calls {
  readonly service?: string;
  readonly calls: number;
  readonly failures?: number;
  readonly inFlight?: number;
  /** Bucket of all its calls. */
  readonly withinMs: number;
}

/** Reports calls as a caller does, in a window of 10 s. */
async function report(reporter: string, endpoints: Readonly<Record<string, Calls>>) {
  await cli.rollcall.call('putTraffic', {
    params: { ns: 'default', reporter },
    body: {
      windowMs: 10_000,
      endpoints: Object.entries(endpoints).map(([endpoint, given]) => {
        const { service = 'web', calls, failures = 0, inFlight = 0, withinMs } = given;
        const latencies = [...LATENCY_BOUNDS_MS, Infinity].map((bound) =>
          bound === withinMs ? calls : 0,
        );
        return { service, endpoint, calls, failures, inFlight, latencies };
      }),
    },
  });
}

const own = (table: string) => table.replace(/^.*rollcall.*\n/gm, '').replaceAll(/ {2,}/g, '  ');

test('the calls of all callers to each instance; one that nobody calls is shown too', async () => {
  await report('one', { 'a/http': { calls: 100, failures: 5, inFlight: 2, withinMs: 10 } });
  await report('two', { 'a/http': { calls: 20, inFlight: 1, withinMs: 10 } });
  expect(own(await cli.out('top'))).toBe(
    [
      'NAME  SERVICE  CALLS/S  FAILED/S  P50  P99  IN FLIGHT',
      'a  web  12  0.5  9ms  10ms  3',
      'b  web  <none>  <none>  <none>  <none>  <none>',
      '',
    ].join('\n'),
  );
});

test('calls through a declared service count for its instances and for the service', async () => {
  await cli.apply(NGINX);
  await report('one', {
    'a/http': { calls: 10, withinMs: 5 },
    'web/a/': { service: 'nginx', calls: 30, withinMs: 5 },
  });
  expect(await cli.out('top', 'pod', 'web/a', '--no-headers')).toMatch(/^a +web +4\.0 /);
  expect(await cli.out('top', 'svc', 'nginx', '--no-headers')).toMatch(/^nginx +3\.0 /);
  expect(await cli.out('top', 'svc/nginx', '--no-headers')).toMatch(/^nginx +3\.0 /);
  expect(await cli.out('top', 'a', '--no-headers')).toMatch(/^a +web +4\.0 /);
  expect(await cli.out('top', 'svc', 'web', '-A', '--no-headers')).toMatch(/^default +web +1\.0 /);
});

test('the largest first; by labels and by names', async () => {
  await report('one', {
    'a/http': { calls: 10, inFlight: 1, withinMs: 500 },
    'b/http': { calls: 90, failures: 9, withinMs: 2 },
  });
  const order = async (by: string) =>
    own(await cli.out('top', '--no-headers', `--sort-by=${by}`)).replaceAll(/ .*\n/g, '');
  expect(await order('calls')).toBe('ba');
  expect(await order('failures')).toBe('ba');
  expect(await order('latency')).toBe('ab');
  expect(await order('in-flight')).toBe('ab');
  expect(await cli.out('top', '-l', 'app=nginx', '--no-headers')).toMatch(/^a [^\n]*\n$/);
  expect(await cli.run('top', 'pods', 'b', 'nope', '--no-headers')).toEqual({
    code: 1,
    out: 'b   web   9.0   0.9   1.8ms   2ms   0\n',
    err: 'Error from server (NotFound): instances "nope" not found\n',
  });
});

test.each<[argv: string[], err: string]>([
  [['nodes'], 'Error from server (NotFound): instances "nodes" not found\n'],
  [['ep/web'], 'error: top: expected instances or services, got "ep/web"\n'],
  [['ns'], 'error: top: expected instances or services, got "ns"\n'],
  [
    ['--sort-by=cpu'],
    'error: --sort-by: expected calls, failures, latency, in-flight, got "cpu"\n',
  ],
  [['--sort-by=toString'], 'error: --sort-by: expected calls, failures, latency, in-flight'],
])('%j', async (argv, err) => {
  const ended = await cli.run('top', ...argv);
  expect(ended.err).toContain(err);
  expect(ended.code).not.toBe(0);
});

test('a server of the roll that does not answer is named; one that does adds its calls', async () => {
  await report('one', { 'a/http': { calls: 10, withinMs: 1 } });
  await cli.register('rollcall/away:1', 1);
  const { code, out, err } = await cli.run('top', 'pods', 'a', '--no-headers');
  expect({ code, out }).toEqual({ code: 0, out: 'a   web   1.0   0   <1ms   <1ms   0\n' });
  expect(err).toBe(
    'rollcall: http://127.0.0.1:1 did not answer: calls that are reported there alone are missing\n',
  );
});

test('what a program calls is shown without doing anything for it', async () => {
  const service = cli.rollcall.service('web');
  await service.ready({ endpoints: 0 });
  for (let i = 0; i < 10; i++) {
    const picked = service.pick();
    if (picked.kind === 'picked') picked.done(i < 2 ? 'failed' : 'ok');
  }
  const shown = () => cli.out('top', 'svc', 'web', '--no-headers');
  await until(async () => !(await shown()).includes('<none>'), { withinMs: 15_000 });
  expect(await shown()).toMatch(/^web +\d+\.\d +0\.\d /);
});
