import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { serviceText } from '../testing/manifests.ts';
import { TestCli } from '../testing/test-cli.ts';

/** What others may have written: a title for the window, colours, another direction, a line that looks like another one. */
const HOSTILE = '\u001b]0;x\u0007\u009b31m\u202eok\u200b\r\nStatus: Running\u2028';
const SHOWN = String.raw`^[]0;x\u0007\u009b31m\u202eok\u200b\r`;
const SHOWN_LINE = String.raw`${SHOWN}\nStatus: Running\u2028`;
const COMMANDS = /(?![\t\n])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u;

let cli: TestCli;

beforeAll(async () => {
  cli = await TestCli.start();
  await cli.apply(
    serviceText(
      'web',
      { type: 'LoadBalancer', ports: [{ port: 80 }], selector: { app: 'web' } },
      { annotations: { note: HOSTILE, plain: 'first\nplain: second' } },
    ),
  );
  await cli.register('web/a', 3001);
  await cli.rollcall.report('web', 'lb.one', {
    conditions: [{ type: 'Bound', status: 'False', reason: 'Failed', message: HOSTILE }],
    loadBalancer: [{ hostname: HOSTILE }],
  });
  await cli.rollcall.call('putOverride', {
    params: { ns: 'default', svc: 'web', id: 'a' },
    body: { status: 'draining', author: HOSTILE, reason: HOSTILE },
  });
});
afterAll(() => cli.close());

test.each([
  ['get svc'],
  ['get svc -o wide'],
  ['get svc,pods -A --show-labels'],
  ['get svc -o custom-columns=NAME:.metadata.name,NOTE:.metadata.annotations.note'],
  ['get events'],
  ['events'],
  ['describe svc web'],
  ['describe pod a'],
  ['explain svc web'],
  ['get svc web -L app'],
])('%s obeys nobody, on a terminal and elsewhere', async (line) => {
  for (const isTerminal of [false, true]) {
    const { out, err } = await cli.runWith({ isTerminal }, ...line.split(' '));
    expect(out + err).not.toMatch(COMMANDS);
    // No line of the output is one that somebody else wrote.
    expect(out).not.toMatch(/^Status: Running/m);
  }
});

test('a table has one row for one thing, and its columns fit what is shown', async () => {
  const [head = '', row = '', ...rest] = (await cli.out('get', 'svc', 'web', '-o', 'wide')).split(
    '\n',
  );
  expect(rest).toEqual(['']);
  expect(row).toContain(` ${SHOWN_LINE} `);
  expect(head.indexOf('PORT(S)')).toBe(row.indexOf('80:'));
});

test('a page keeps the lines of a text, each indented further than the value before it', async () => {
  const page = await cli.out('describe', 'svc', 'web');
  expect(page).toMatch(/^Annotations: +note:\n +\^\[\]0;x.*\\r\n +Status: Running\\u2028\n/m);
  expect(page).toMatch(/\n {26}plain:\n {28}first\n {28}plain: second\n/);
  expect(page).toContain(`lb.one    ${SHOWN}\n`);
  expect(await cli.out('describe', 'pod', 'a')).toMatch(/^Override: .*\\r\n {16}Status: Running/m);
});

test('documents: on a terminal in other words, elsewhere to the letter', async () => {
  for (const [format, read] of [
    ['json', (text: string) => JSON.parse(text) as unknown],
    ['yaml', (text: string) => parse(text) as unknown],
  ] as const) {
    const piped = await cli.out('get', 'svc', 'web', '-o', format);
    const { out } = await cli.runWith({ isTerminal: true }, 'get', 'svc', 'web', '-o', format);
    expect(piped).toContain('\u202e');
    expect(out).not.toMatch(COMMANDS);
    expect(read(out)).toEqual(read(piped));
    expect(read(out)).toMatchObject({ metadata: { annotations: { note: HOSTILE } } });
  }
});

test('templates: on a terminal by their names, elsewhere to the letter', async () => {
  for (const format of [
    'jsonpath={.metadata.annotations.note}',
    'go-template={{.metadata.annotations.note}}',
  ]) {
    const argv = ['get', 'svc', 'web', '-o', format];
    expect(await cli.out(...argv)).toBe(HOSTILE);
    const { out } = await cli.runWith({ isTerminal: true }, ...argv);
    expect(out).toBe(`${SHOWN}\nStatus: Running\\u2028\n`);
  }
});

test('a difference is one of what is shown', async () => {
  const path = cli.file(
    'web.yaml',
    serviceText(
      'web',
      { type: 'LoadBalancer', ports: [{ port: 80 }] },
      { annotations: { note: '\u001b[2Jx' } },
    ),
  );
  const { out, code } = await cli.run('diff', '-f', path);
  expect(code).toBe(1);
  expect(out).not.toMatch(COMMANDS);
  expect(out).toContain(String.raw`+    note: "\e[2Jx"`);
});

test.each([
  ['a name that is not found', ['get', 'svc', 'a\u009b31m\nb']],
  ['a name to describe', ['describe', 'svc', '\u001b[2J']],
  ['a value that is refused', ['create', 'service', 'clusterip', 'x\u202e', '--tcp=80']],
  ['a word of the command line', ['get', '\u001b[2J']],
  ['what is waited for', ['wait', 'svc/\u001b[2J', '--for=create', '--timeout=0s']],
  ['an instance to drain', ['drain', 'web/\u001b[2J']],
  ['a file that is not there', ['apply', '-f', '\u001b[2J.yaml']],
])('an error that repeats %s', async (_, argv) => {
  const { code, out, err } = await cli.run(...argv);
  expect(code).not.toBe(0);
  expect(err).not.toBe('');
  expect(out + err).not.toMatch(COMMANDS);
});

test('faults of a manifest that repeat its values', async () => {
  const text = serviceText('web', { type: 'x\u009b', ports: [{ port: 80, name: '\u202e' }] });
  const { err } = await cli.runWith({ stdin: text }, 'apply', '-f', '-');
  expect(err).toContain(String.raw`"x\u009b"`);
  expect(err).not.toMatch(COMMANDS);
});

test('what an editor shows is what is there', async () => {
  const { err } = await cli.runWith(
    { env: { EDITOR: `sh -c 'cat "$1" > ${cli.folder}/seen' sh` } },
    'edit',
    'svc',
    'web',
  );
  expect(err).toBe('Edit cancelled, no changes made.\n');
  const seen = readFileSync(`${cli.folder}/seen`, 'utf8');
  expect(seen).not.toMatch(COMMANDS);
  expect(parse(seen)).toMatchObject({ metadata: { annotations: { note: HOSTILE } } });
});

test('what goes on being shown obeys nobody either', async () => {
  const lines = [
    'get svc -w -o wide',
    'get svc -A -w -o wide',
    'get svc -w -o custom-columns=NAME:.metadata.name,NOTE:.metadata.annotations.note',
    'get events -w',
    'events -w',
    'events -w -A',
  ];
  const watches = lines.flatMap((line) =>
    [false, true].map((isTerminal) => cli.begin({ isTerminal }, ...line.split(' '))),
  );
  for (const watch of watches) await watch.printed(/\n.*web/);
  const before = watches.map(({ out }) => out.length);
  await cli.apply(
    serviceText(
      'late',
      { type: 'LoadBalancer', ports: [{ port: 80 }] },
      { annotations: { note: HOSTILE } },
    ),
  );
  await cli.rollcall.report('late', 'lb.one', {
    conditions: [{ type: 'Bound', status: 'False', reason: 'Failed', message: HOSTILE }],
    loadBalancer: [{ hostname: HOSTILE }],
  });
  for (const [i, watch] of watches.entries()) {
    await watch.printed(/late [^]*Status: Running/);
    const later = watch.out.slice(before[i]);
    expect(later).toContain(SHOWN_LINE);
    expect(watch.out + watch.err).not.toMatch(COMMANDS);
    expect(watch.out).not.toMatch(/^Status: Running/m);
    expect(await watch.stop()).toBe(0);
  }
});

test('documents that go on being shown, on a terminal', async () => {
  const watches = ['json', 'yaml'].map((format) =>
    cli.begin({ isTerminal: true }, 'get', 'svc', 'web', '-w', '-o', format),
  );
  for (const watch of watches) await watch.printed(/Status: Running/);
  const before = watches.map(({ out }) => out.length);
  await cli.rollcall.report('web', 'lb.two', { loadBalancer: [{ hostname: `later${HOSTILE}` }] });
  for (const [i, watch] of watches.entries()) {
    await watch.printed(/later/);
    expect(watch.out.slice(before[i])).toContain(String.raw`\u202eok\u200b\r`);
    expect(watch.out + watch.err).not.toMatch(COMMANDS);
    await watch.stop();
  }
});
