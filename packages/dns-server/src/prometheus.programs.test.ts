import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { until } from '@rollcall/testkit';
import { type TestContext, expect, test } from 'vitest';
import {
  need,
  needNamespaces,
  output,
  start,
  testFolder,
  writeExample,
} from './testing/programs.ts';

const SERVER = new URL('testing/namespace-server.ts', import.meta.url).pathname;
const FETCH = `fetch(process.argv[1]).then(async (answer) => console.log(await answer.text()))`;

interface Target {
  readonly health: string;
  readonly scrapeUrl: string;
}

/**
 * Prometheus with the documented configuration, and a DNS server. It asks only the servers of /etc/resolv.conf, on
 * port 53: both get a machine of their own for that.
 */
async function startPrometheus(context: TestContext) {
  const prometheus = need(context, 'prometheus', 'prometheus');
  const nsenter = need(context, 'nsenter', 'util-linux');
  const unshare = await needNamespaces(context);
  const into = await testFolder();
  const services = join(into, 'services.json');
  const put = (isReady: boolean, names: readonly string[]) =>
    writeFile(services, JSON.stringify({ isReady, names }));
  await put(true, ['web-0', 'web-1']);
  await writeFile(join(into, 'resolv.conf'), 'nameserver 127.0.0.1\n');
  const node = `'${process.execPath}' --conditions=@rollcall/source '${SERVER}' '${services}'`;
  const prepare = `ip link set lo up && mount --bind '${into}/resolv.conf' /etc/resolv.conf`;
  const server = start(unshare, '-mn', 'sh', '-c', `${prepare} && exec ${node}`);
  await server.printed(/listening/);
  const inside = [`--target=${server.pid}`, '--net', '--mount'];
  const config = await writeExample('prometheus.yml', into, {});
  const flags = [`--config.file=${config}`, `--storage.tsdb.path=${into}/data`];
  const child = start(nsenter, ...inside, prometheus, ...flags);
  const read = (path: string) =>
    output(nsenter, [...inside, process.execPath, '-e', FETCH, `http://127.0.0.1:9090${path}`]);
  return { put, read, child };
}

test(
  'Prometheus scrapes every instance, follows changes, and keeps its targets while the DNS server is cold',
  {
    timeout: 90_000,
  },
  async (context) => {
    const { put, read, child } = await startPrometheus(context);
    const targets = async () => {
      const shown = JSON.parse(await read('/api/v1/targets')) as {
        data: { activeTargets: readonly Target[] };
      };
      return shown.data.activeTargets;
    };
    const patience = { withinMs: 25_000, everyMs: 200 };
    const scraping = (count: number) => {
      const what = `${count} targets up:\n${child.output.slice(-2_000)}`;
      const look = async () => {
        const up = (await targets()).filter(({ health }) => health === 'up');
        return up.length === count ? up : undefined;
      };
      return until(look, { ...patience, what });
    };
    const up = await scraping(2);
    expect(up[0]?.scrapeUrl).toMatch(
      /^http:\/\/web-\d\.web\.default\.svc\.cluster\.local:\d+\/metrics$/,
    );
    await put(true, ['web-0', 'web-1', 'web-2']);
    await scraping(3);
    const failures = async () => {
      const metric = /^prometheus_sd_dns_lookup_failures_total (\d+)$/m;
      return Number(metric.exec(await read('/metrics'))?.[1]);
    };
    const before = await failures();
    await put(false, []);
    await until(async () => (await failures()) >= before + 3, {
      ...patience,
      what: 'failed lookups',
    });
    // They cannot be looked up for scraping, but they are not forgotten.
    expect(await targets()).toHaveLength(3);
    await put(true, ['web-0', 'web-1', 'web-2', 'web-3']);
    await scraping(4);
  },
);
