import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort, startNode, type TestProcess, until } from '@rollcall/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RegistryProcess, Stack } from './support/stack.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
/** What every program has is described once. */
const COMMON = 'docs/programs.md';

let stack: Stack;
let registry: RegistryProcess;
let folder: string;
const started: TestProcess[] = [];

beforeAll(async () => {
  stack = new Stack();
  registry = await stack.registry();
  folder = mkdtempSync(join(tmpdir(), 'metrics-'));
});
afterAll(async () => {
  await Promise.all(started.map((one) => one.stop('SIGKILL')));
  await stack.close();
  rmSync(folder, { recursive: true });
});

function balancerFile(port: number): string {
  const file = join(folder, 'lb.yaml');
  writeFileSync(
    file,
    `registry: { url: ${registry.url} }
listeners: [{ name: web, port: 0, default: { targetGroup: web } }]
targetGroups: { web: { service: web } }
loadBalancerServices: { addresses: [127.0.20.9] }
admin: { port: ${port} }
accessLog: off
`,
  );
  return file;
}

const PROGRAMS: Readonly<
  Record<string, { readonly args: (port: number) => string[]; readonly docs: readonly string[] }>
> = {
  'registry-server': {
    args: (port) => ['--port', `${port}`],
    docs: ['docs/operating.md', 'packages/registry-server/README.md'],
  },
  lb: { args: (port) => ['--config', balancerFile(port)], docs: ['packages/lb/README.md'] },
  'node-proxy': {
    args: (port) => ['--registry', registry.url, '--metrics', `127.0.0.1:${port}`],
    docs: ['packages/node-proxy/README.md'],
  },
  'dns-server': {
    args: (port) => ['--registry', registry.url, '--port', '0', '--metrics', `127.0.0.1:${port}`],
    docs: ['packages/dns-server/README.md'],
  },
};

/** Whether a text names the metric, whole or as `_udp_flows` after others with the same beginning. */
function isNamed(metric: string, text: string): boolean {
  const words = metric.split('_');
  const ends = words.slice(1).map((_, i) => `\`_${words.slice(i + 1).join('_')}`);
  return [`\`${metric}`, ...ends].some(
    (name) => text.includes(`${name}\``) || text.includes(`${name}{`),
  );
}

test.each(Object.entries(PROGRAMS))('every metric of %s is described', async (name, program) => {
  const port = await freePort();
  started.push(
    startNode(join(root, `packages/${name}/src/main.ts`), program.args(port), { cwd: root }),
  );
  const scrape = async () => {
    const reply = await fetch(`http://127.0.0.1:${port}/metrics`).catch(() => undefined);
    return reply?.ok === true ? reply.text() : undefined;
  };
  const text = await until(scrape, { withinMs: 60_000 });
  const metrics = [...text.matchAll(/^# TYPE (rollcall_\w+)/gm)].map(([, metric = '']) => metric);
  expect(metrics.length).toBeGreaterThan(5);
  const docs = [...program.docs, COMMON].map((file) => readFileSync(join(root, file), 'utf8'));
  expect(metrics.filter((metric) => !docs.some((doc) => isNamed(metric, doc)))).toEqual([]);
});
