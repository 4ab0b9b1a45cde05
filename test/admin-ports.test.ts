import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freePort, startNode, type TestProcess, until } from '@rollcall/testkit';
import { request } from 'undici';

const NOWHERE = 'http://127.0.0.1:9';
const folder = mkdtempSync(join(tmpdir(), 'admin-ports-'));
const started: TestProcess[] = [];
const ports = new Map<string, number>();

beforeAll(async () => {
  for (const name of ['registry-server', 'lb', 'node-proxy', 'dns-server']) {
    ports.set(name, await freePort());
  }
  const file = join(folder, 'lb.yaml');
  const admin = `admin: { port: ${ports.get('lb')}, allowHosts: [scraped] }`;
  writeFileSync(
    file,
    `registry: { url: '${NOWHERE}' }\nlisteners: [{ name: web, port: 0, default: { targetGroup: g } }]\ntargetGroups: { g: { service: x } }\n${admin}\n`,
  );
  const at = (name: string) => `127.0.0.1:${ports.get(name)}`;
  const allow = ['--allow-host', 'scraped'];
  const args: Readonly<Record<string, readonly string[]>> = {
    'registry-server': ['--port', String(ports.get('registry-server')), ...allow],
    lb: ['--config', file],
    'node-proxy': ['--registry', NOWHERE, '--metrics', at('node-proxy'), ...allow],
    'dns-server': ['--registry', NOWHERE, '--port', '0', '--metrics', at('dns-server'), ...allow],
  };
  for (const [name, given] of Object.entries(args)) {
    started.push(startNode(`packages/${name}/src/main.ts`, given));
  }
  for (const name of ports.keys()) {
    await until(async () => (await ask(name)).status === 200, { what: `${name} that listens` });
  }
}, 180_000);
afterAll(async () => {
  await Promise.all(started.map((one) => one.stop('SIGTERM')));
  rmSync(folder, { recursive: true });
});

async function ask(name: string, headers: Record<string, string> = {}, path = '/metrics') {
  const url = `http://127.0.0.1:${ports.get(name)}${path}`;
  const { statusCode, body } = await request(url, { headers }).catch(() => ({
    statusCode: 0,
    body: { text: async () => '' },
  }));
  return { status: statusCode, text: await body.text() };
}

test.each(['registry-server', 'lb', 'node-proxy', 'dns-server'])(
  'the port of %s that asks for no token keeps web pages out and lets a scrape by an allowed name in',
  async (name) => {
    for (const path of ['/livez', '/readyz', '/metrics', '/services', '/targets', '/none']) {
      const rebound = await ask(name, { host: 'evil.example' }, path);
      expect(rebound, path).toMatchObject({ status: 421 });
      expect(rebound.text, path).toContain('host_refused');
      const foreign = await ask(name, { origin: 'https://evil.example' }, path);
      expect(foreign, path).toMatchObject({ status: 403 });
      expect(foreign.text, path).toContain('origin_refused');
      expect(await ask(name, { 'sec-fetch-site': 'same-site' }, path)).toMatchObject({
        status: 403,
      });
    }
    expect(await ask(name, { host: `scraped:${ports.get(name)}` })).toMatchObject({ status: 200 });
  },
);

test.each(['registry-server', 'lb', 'node-proxy', 'dns-server'])(
  'SIGHUP does %s no harm and leaves a line',
  async (name) => {
    const process = started[[...ports.keys()].indexOf(name)] as TestProcess;
    process.child.kill('SIGHUP');
    await until(() => process.output.includes('SIGHUP'));
    expect((await ask(name)).status).toBe(200);
  },
);
