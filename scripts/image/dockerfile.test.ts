import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import manifest from '../../packages/rollcall/package.json' with { type: 'json' };
import root from '../../package.json' with { type: 'json' };
import { buildImage } from './build.ts';
import { Context } from './context.ts';
import { commandOf, lastOf, readDockerfile, type Stage } from './dockerfile.ts';

const source = fileURLToPath(new URL('../..', import.meta.url));

describe('the Dockerfile', () => {
  const stages = readDockerfile(readFileSync(join(source, 'Dockerfile'), 'utf8'));
  const last = stages.at(-1) as Stage;
  const context = new Context(source);
  const sources = stages
    .flatMap(({ steps }) => steps)
    .filter(({ keyword, flags }) => keyword === 'COPY' && flags['from'] === undefined)
    .flatMap(({ words }) => words.slice(0, -1));

  test.each(sources)('%s exists and is sent to the engine', (path) => {
    expect(context.filesOf(path)).not.toEqual([]);
  });

  test('nothing is sent that the engine makes itself, and no test', () => {
    const sent = sources.flatMap((path) => context.filesOf(path));
    expect(sent.filter((path) => /node_modules|\/dist\/|\.test\.ts$/.test(path))).toEqual([]);
    expect(context.filesOf('docs')).toEqual([]);
    expect(context.filesOf('.git')).toEqual([]);
  });

  test('builds with the pnpm of the project, and names no path outside of its folder', () => {
    const runs = stages[0]?.steps.filter(({ keyword }) => keyword === 'RUN') ?? [];
    const text = runs.map((step) => step.text).join('\n');
    expect(text).toContain(`npm install --global ${root.packageManager}`);
    expect(text).not.toMatch(/\s\/\w/);
  });

  test('says what it is', () => {
    expect(Object.fromEntries(lastOf(last, 'LABEL').pairs)).toMatchObject({
      'org.opencontainers.image.version': manifest.version,
      'org.opencontainers.image.licenses': manifest.license,
      'org.opencontainers.image.source': manifest.repository.url.replace(/^git\+|\.git$/g, ''),
    });
  });

  test('runs the command of the package, as a user without rights', () => {
    expect(lastOf(last, 'USER').text).toBe('node');
    expect(commandOf(lastOf(last, 'ENTRYPOINT'))).toEqual(['node', manifest.bin.rollcall.slice(2)]);
    expect(lastOf(last, 'HEALTHCHECK').text).toContain('HEALTH_URL');
  });

  test('its ports are the defaults of the programs, and those that the compose file publishes', () => {
    // Written from the tables of options.
    const options = readFileSync(join(source, 'docs/options.md'), 'utf8');
    const defaults = [
      /`ROLLCALL_PORT` \| `(\d+)`/,
      /`admin.port` \| `(\d+)`/,
      /`ROLLCALL_DNS_PORT` \| `(\d+)`/,
    ].map((pattern) => pattern.exec(options)?.[1] ?? expect.fail(`${pattern}`));
    const compose = readFileSync(join(source, 'docker-compose.yml'), 'utf8');
    const published = [...compose.matchAll(/'127\.0\.0\.1:\d+:(\d+)/g)].map(
      ([, port = '']) => port,
    );
    // A node port is any of a range.
    const wanted = [...defaults, ...published].filter((port) => !port.startsWith('30'));
    const ports = lastOf(last, 'EXPOSE').words.map((word) => word.replace(/\/.*/, ''));
    expect(new Set(ports)).toEqual(new Set(wanted));
  });
});

describe('building without an engine', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'image-'));
    for (const path of ['a.txt', 'b.txt', 'lib/c.txt', 'lib/node_modules/d.txt', 'other/e.txt']) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), path);
    }
    writeFileSync(join(folder, '.dockerignore'), '**\n!a.txt\n!lib\n**/node_modules\n');
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  let count = 0;
  function build(steps: string) {
    const base = `FROM node:${process.versions.node.split('.')[0]}-slim`;
    const stages = readDockerfile(
      `${base} AS first\nWORKDIR /in\n${steps.replace('NEXT', base)}\n`,
    );
    count += 1;
    const target = join(folder, `out-${count}`);
    return buildImage(stages, new Context(folder), { source: folder, folder: target });
  }
  const textAt = (path: string) => readFileSync(path, 'utf8');

  test('copies what the context has, and the content of a folder instead of the folder', () => {
    const { root: at, env } = build(
      'COPY a.txt ./\nCOPY lib to\nRUN cat a.txt to/c.txt > out.txt\nNEXT\nENV A=b\nCOPY --from=first /in/out.txt /x/',
    );
    expect(textAt(join(at, 'x/out.txt'))).toBe('a.txtlib/c.txt');
    expect(env).toEqual({ A: 'b' });
  });

  test('a file that does not exist, or is left out, is named with its line', () => {
    const none = (path: string) => `Dockerfile:3: COPY: no ${path}, or .dockerignore leaves it out`;
    for (const path of ['z.txt', 'b.txt', 'other', 'lib/node_modules']) {
      expect(() => build(`COPY ${path} ./`), path).toThrow(none(path));
    }
  });

  test('a step that fails, a stage without the file, and an unknown step are faults', () => {
    expect(() => build('RUN test -e a.txt')).toThrow('Command failed: sh -c test -e a.txt');
    expect(() => build('NEXT\nCOPY --from=first /in/z ./')).toThrow('stage first has no /in/z');
    expect(() => build('SHELL ["sh"]')).toThrow('Dockerfile:3: SHELL is not known here');
  });

  test('the base is the Node.js that stands in for it', () => {
    const stages = readDockerfile('FROM node:18-slim\n');
    const target = { source: folder, folder: join(folder, 'base') };
    expect(() => buildImage(stages, new Context(folder), target)).toThrow('FROM node:18-slim');
  });
});
