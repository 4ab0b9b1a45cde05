import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort, until } from '@rollcall/testkit';
import { afterEach, expect, test } from 'vitest';
import { Shell, type Step, stepsOf, withOutputs } from './support/console.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const file = join(root, 'docs/kubernetes-services.md');
const isMissing = ['curl', 'dig'].some((program) => {
  try {
    execFileSync('which', [program]);
    return false;
  } catch {
    return true;
  }
});

let shell: Shell | undefined;
let folder: string | undefined;
afterEach(() => {
  shell?.close();
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
});

/** Ports of the text that stand for free ones here. */
async function portsHere(): Promise<ReadonlyMap<string, string>> {
  const ports = new Map<string, string>();
  for (const port of ['7400', '8053', '7480']) ports.set(port, String(await freePort()));
  return ports;
}

/** `npm` of the text is this: the same programs, without the time that npm takes. */
const NPM = `#!/bin/bash
shift; [ "$1" = --silent ] && shift
name=$1; shift; [ "$1" = -- ] && shift
case $name in
  registry) set -- packages/registry-server/src/main.ts --log-level error --warm-up-ms 0 "$@" ;;
  node-proxy) set -- packages/node-proxy/src/main.ts "$@" ;;
  dns) set -- packages/dns-server/src/main.ts "$@" ;;
  lb) set -- packages/lb/src/main.ts "$@" ;;
  rollcall) set -- packages/cli/src/main.ts "$@" ;;
esac
exec ${process.execPath} --conditions=@rollcall/source "\${@/#packages/${root}packages}"
`;

/** A shell in an empty folder that has the project's examples. */
function open(ports: ReadonlyMap<string, string>): Shell {
  folder = mkdtempSync(join(tmpdir(), 'rollcall-tutorial-'));
  symlinkSync(join(root, 'examples'), join(folder, 'examples'));
  writeFileSync(join(folder, 'npm'), NPM, { mode: 0o755 });
  const registry = ports.get('7400') ?? '';
  return new Shell(folder, {
    PATH: `${folder}:${join(process.execPath, '..')}:${process.env['PATH'] ?? ''}`,
    ROLLCALL_URL: `http://127.0.0.1:${registry}`,
    ROLLCALL_PORT: registry,
    LB_ADMIN_PORT: ports.get('7480'),
  });
}

/** What differs from run to run, taken out: ages, the machine's name, who registered first, how wide columns are. */
function settled(text: string): string {
  return text
    .replaceAll(new RegExp(`\\b${hostname()}\\b`, 'g'), 'host')
    .replaceAll(/\b\d+(s|m|h|d)(\d+[smh])?\b/g, 'AGE')
    .replaceAll(/-{2,}/g, '--')
    .replaceAll(/(Registered +AGE) +nginx-\d/g, '$1 nginx-N')
    .replaceAll(/[ \t]+/g, ' ')
    .trim();
}

/** Commands that may be typed again: what they show comes about a little after what was done before. */
const MAY_REPEAT = /^(rollcall (get|describe|explain|env)|curl|dig|for )/;

test.skipIf(isMissing)(
  'the walk through Kubernetes Services prints what it says',
  async () => {
    const markdown = readFileSync(file, 'utf8');
    const ports = await portsHere();
    shell = open(ports);
    const here = (text: string) =>
      text.replaceAll(/\b(7400|8053|7480)\b/g, (port) => ports.get(port) ?? port);
    const there = (text: string) => {
      let shown = text.replaceAll(new RegExp(`\\b${hostname()}\\b`, 'g'), 'host');
      for (const [port, own] of ports)
        shown = shown.replaceAll(new RegExp(`\\b${own}\\b`, 'g'), port);
      return shown;
    };
    const isWriting = process.env['WRITE_DOCS'] === '1';
    const outputs: string[] = [];
    for (const { command, output } of stepsOf(markdown)) {
      outputs.push(await play(shell, { command: here(command), output }, { there, isWriting }));
    }
    if (isWriting) writeFileSync(file, withOutputs(markdown, outputs));
  },
  180_000,
);

async function play(
  bash: Shell,
  { command, output }: Step,
  { there, isWriting }: { there: (text: string) => string; isWriting: boolean },
): Promise<string> {
  let last = there(await bash.run(command));
  if (isWriting) {
    // Nothing says what to wait for: until it stays the same.
    let before = '';
    for (let same = 0; same < 3 && MAY_REPEAT.test(command);) {
      before = last;
      await new Promise((resolve) => setTimeout(resolve, 700));
      last = there(await bash.run(command));
      same = settled(last) === settled(before) && last !== '' ? same + 1 : 0;
    }
    return last;
  }
  if (MAY_REPEAT.test(command)) {
    await until(
      async () => {
        if (settled(last) === settled(output)) return true;
        last = there(await bash.run(command));
        return settled(last) === settled(output);
      },
      { withinMs: 15_000, everyMs: 100 },
    ).catch(() => {});
  }
  expect(`$ ${command}\n${settled(last)}`).toBe(`$ ${command}\n${settled(output)}`);
  return last;
}
