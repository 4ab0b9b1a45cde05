import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { OPTIONS } from './config/options.ts';
import { EXAMPLES, need, output } from './testing/programs.ts';
import { startServer } from './testing/running-server.ts';
import { declared, instances, snapshot } from './testing/snapshots.ts';

const DOCS = new URL('../../../docs/dns.md', import.meta.url).pathname;

test.each(['haproxy.cfg', 'nginx.conf', 'prometheus.yml'])(
  'the docs show %s as it is',
  async (name) => {
    const [docs, example] = [
      await readFile(DOCS, 'utf8'),
      await readFile(join(EXAMPLES, name), 'utf8'),
    ];
    expect(docs).toContain(`\n${example}\`\`\`\n`);
  },
);

test('the docs name every option', async () => {
  const docs = await readFile(DOCS, 'utf8');
  for (const { flag } of Object.values(OPTIONS)) {
    expect(docs).toContain(flag === 'short-names' ? '--no-short-names' : `--${flag}`);
  }
});

test('dig prints what the docs say', async (context) => {
  const dig = need(context, 'dig', 'bind9-dnsutils');
  const [, block = ''] = /```console\n([\s\S]*?)```/.exec(await readFile(DOCS, 'utf8')) ?? [];
  const [, ...commands] = block.split('$ dig @127.0.0.1 -p 8053 ');
  expect(commands.length).toBeGreaterThan(15);
  const external = declared({ type: 'ExternalName', externalName: 'db.example.com' });
  const { address } = await startServer([
    snapshot('nginx', { declared: declared({ clusterIPs: ['127.96.0.10'] }) }),
    snapshot('web', { endpoints: instances(4).slice(1) }),
    snapshot('db', { declared: external }),
  ]);
  for (const command of commands) {
    const [args = '', ...printed] = command.trimEnd().split('\n');
    const at = [`@${address.host}`, '-p', String(address.port), '+tries=1'];
    const shown = (await output(dig, [...at, ...args.split(' ')])).trimEnd().split('\n');
    expect([args, ...shown.toSorted()]).toEqual([args, ...printed]);
  }
});

test('dig falls back to TCP for what does not fit, and sees no malformed packets', async (context) => {
  const dig = need(context, 'dig', 'bind9-dnsutils');
  const { address } = await startServer(
    [snapshot('web', { endpoints: instances(200) })],
    '--udp-payload=1232',
  );
  const ask = (...args: string[]) =>
    output(dig, [`@${address.host}`, '-p', String(address.port), '+tries=1', ...args]);
  const large = await ask('SRV', '_http._tcp.web');
  expect(large).toMatch(/;; Truncated, retrying in TCP mode/);
  expect(large).toContain('ANSWER: 200');
  for (const args of [
    ['web', 'A'],
    ['web', 'AAAA'],
    ['web', 'ANY'],
    ['+noedns', 'web', 'A'],
    ['+edns=1', '+noednsneg', 'web', 'A'],
    ['+dnssec', 'web', 'A'],
    ['+tcp', 'nope', 'A'],
    ['cluster.local', 'SOA'],
    ['-x', '10.0.0.1'],
    ['-c', 'CH', 'TXT', 'version.bind'],
  ]) {
    const shown = await ask(...args);
    expect(shown).toMatch(/status: (NOERROR|NXDOMAIN|REFUSED|BADVERS)/);
    expect(shown).not.toMatch(/malformed|mismatch|garbage|warning: (?!recursion|\.local)/i);
  }
});
