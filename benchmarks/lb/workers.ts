import { execFileSync, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startNode } from '@rollcall/testkit';
import { ANYWHERE } from '../support/placement.ts';
import { verdict } from '../support/rounds.ts';
import { median, short } from '../support/statistics.ts';
import { printTable, say } from '../support/table.ts';

const BALANCER = fileURLToPath(new URL('../../packages/lb/src/main.ts', import.meta.url));
const ROUNDS = 5;
const SAMPLE_S = 3;
const CLIENTS = 4;
const WANTED = 1.7;

/**
 * What a second worker adds, on a machine whose cores the clients need too. So the work is one that costs the balancer
 * much and its clients little: full handshakes with a key of RSA-4096. Nothing is pinned.
 */
export async function compareWorkers(folder: string): Promise<void> {
  say(`full handshakes per second with RSA-4096, by number of workers, medians of ${ROUNDS}`);
  const files = [join(folder, 'rsa.pem'), join(folder, 'rsa.key')] as const;
  if (!hasCertificate(files)) {
    say('openssl is not installed here: no comparison.');
    return;
  }
  const balancers = [await start(folder, files, 1), await start(folder, files, 2)] as const;
  const rates: [number[], number[]] = [[], []];
  for (let round = 0; round < ROUNDS; round++) {
    for (const at of [0, 1] as const) rates[at].push(await handshakesPerSecond(balancers[at].port));
  }
  for (const { child } of balancers) await child.stop();
  const rows = rates.map((of, at) => [
    `${at + 1}`,
    short(median(of)),
    `${short(Math.min(...of))}-${short(Math.max(...of))}`,
  ]);
  printTable(['workers', 'handshakes/s', 'range'], rows);
  const ratio = median(rates[1]) / median(rates[0]);
  verdict('two workers of one, by rate', ratio, `>= ${WANTED}`, ratio >= WANTED);
  say();
}

function hasCertificate([cert, key]: readonly [string, string]): boolean {
  const subject = ['-subj', '/CN=localhost', '-days', '2'];
  const words = ['req', '-x509', '-newkey', 'rsa:4096', '-nodes', ...subject];
  try {
    execFileSync('openssl', [...words, '-keyout', key, '-out', cert], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

async function start(folder: string, [cert, key]: readonly [string, string], workers: number) {
  const file = join(folder, `workers-${workers}.yaml`);
  writeFileSync(
    file,
    `registry: { url: "http://127.0.0.1:9" }
listeners:
  - name: tls
    port: 0
    protocol: https
    tls: { certificates: [{ cert: ${cert}, key: ${key} }] }
    default: { fixedResponse: { status: 200, body: ok } }
admin: { port: 0 }
accessLog: off
workers: ${workers}
`,
  );
  const child = startNode(BALANCER, ['--config', file], { within: ANYWHERE });
  const [, port] = await child.printed(/"tls":"https:\/\/127\.0\.0\.1:(\d+)"/);
  return { child, port: Number(port) };
}

/** By clients in C: those of Node.js would need more than the balancer. */
async function handshakesPerSecond(port: number): Promise<number> {
  const words = ['s_time', '-connect', `127.0.0.1:${port}`, '-new', '-time', `${SAMPLE_S}`];
  const counts = Array.from({ length: CLIENTS }, async () => {
    const [program = 'openssl', ...rest] = [...ANYWHERE, 'openssl', ...words];
    const child = spawn(program, rest, { stdio: ['ignore', 'pipe', 'ignore'] });
    const output = await text(child.stdout);
    return Number(/(\d+) connections in \d+ real seconds/.exec(output)?.[1] ?? 0);
  });
  const all = await Promise.all(counts);
  return all.reduce((sum, count) => sum + count, 0) / SAMPLE_S;
}
