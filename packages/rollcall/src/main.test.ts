import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { startNode } from '@rollcall/testkit';
import { describe, expect, test } from 'vitest';
import { PROGRAMS } from './programs.ts';

const MAIN = fileURLToPath(new URL('main.ts', import.meta.url));
const manifest = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
const { version } = JSON.parse(manifest) as { version: string };

async function run(...argv: string[]): Promise<{ code: number | null; output: string }> {
  const started = startNode(MAIN, argv);
  await once(started.child, 'close');
  return { code: started.child.exitCode, output: started.output };
}

describe('the rollcall command', () => {
  test('lists the commands and the programs', async () => {
    const { code, output } = await run('--help');
    expect(code).toBe(0);
    expect(output).toMatch(/^ {2}get +/m);
    for (const { name, summary } of PROGRAMS) {
      expect(output).toMatch(new RegExp(`^  ${name} +${summary}$`, 'm'));
    }
  });

  test.each(PROGRAMS.map(({ name }) => name))('runs %s', async (name) => {
    const help = await run(name, '--help');
    expect(help.code).toBe(0);
    expect(help.output).toMatch(name === 'dev' ? /^Usage: / : new RegExp(`^rollcall-${name}: `));
    expect(await run('help', name)).toEqual(help);
    const wrong = await run(name, '--no-such-option');
    expect(wrong.code).toBe(2);
    expect(wrong.output).toContain('no-such-option');
  });

  test('has one version', async () => {
    for (const argv of [['--version'], ['registry', '--version'], ['lb', '--version']]) {
      expect(await run(...argv)).toEqual({ code: 0, output: `${version}\n` });
    }
  });

  test('refuses what is neither a program nor a command', async () => {
    const { code, output } = await run('registri');
    expect(code).toBe(2);
    expect(output).toContain('unknown command "registri"');
  });

  test('a program comes first, with options of its own', async () => {
    const { code, output } = await run('-n', 'shop', 'lb');
    expect(code).toBe(2);
    expect(output).toBe('error: lb has options of its own, after its name: rollcall lb --help\n');
  });

  test.each(['hello', 'caller'])(
    'dev %s says what it reads, and starts nothing then',
    async (part) => {
      const { code, output } = await run('dev', part, '--help');
      expect(code).toBe(0);
      expect(output).toMatch(new RegExp(`^Usage: .* rollcall dev ${part}\n[^]*ROLLCALL_URL`));
      const wrong = await run('dev', part, '--port', '1');
      expect(wrong.code).toBe(2);
      expect(wrong.output).toContain('expected no options, got "--port 1"');
    },
  );

  test('a misspelt option of dev: what was meant', async () => {
    const { code, output } = await run('dev', '--registry-prt', '1');
    expect(code).toBe(2);
    expect(output).toContain('Did you mean this?\n\t--registry-port\n');
  });
});
