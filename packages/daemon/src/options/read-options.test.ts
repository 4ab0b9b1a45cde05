import { expect, test } from 'vitest';
import { z } from 'zod';
import { helpText } from './help-text.ts';
import { int, onOff, spec } from './option-spec.ts';
import { ConfigError, readOptions } from './read-options.ts';

const word = z.string().regex(/^[a-z,]+$/, { error: 'expected a word' });
const TABLE = {
  port: spec({
    flag: 'port',
    env: 'PORT',
    value: 'PORT',
    help: 'Where.',
    schema: int(0, 65_535).default(80),
  }),
  names: spec({
    flag: 'name',
    env: 'NAMES',
    value: 'NAME',
    list: 'commas',
    help: 'Who.',
    schema: z.array(word).default([]),
  }),
  tokens: spec({
    flag: 'token',
    env: 'TOKENS',
    value: 'TOKEN',
    list: 'spaces',
    isSecret: true,
    help: 'What is secret.',
    schema: z.array(word).default([]),
  }),
  isFast: spec({ flag: 'fast', env: 'FAST', help: 'How.', schema: onOff.default(true) }),
};

const read = (argv: string[], env = {}) => readOptions(TABLE, argv, env);

function problems(argv: string[], env = {}): string[] {
  try {
    read(argv, env);
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split('\n');
    throw error;
  }
  return [];
}

test('a flag wins over its variable, an empty variable is none, and defaults are for the rest', () => {
  expect(read([])).toEqual({ port: 80, names: [], tokens: [], isFast: true });
  expect(read(['--port=1'], { PORT: '2' }).port).toBe(1);
  expect(read([], { PORT: '2' }).port).toBe(2);
  expect(read([], { PORT: '', FAST: '' })).toMatchObject({ port: 80, isFast: true });
  expect(read(['--port', '1', '--port', '3']).port).toBe(3);
});

test('lists are repeated or in one text, by flag and variable alike', () => {
  const expected = ['a', 'b', 'c'];
  expect(read(['--name=a', '--name', 'b,c']).names).toEqual(expected);
  expect(read(['--name', ' a, b ,,c']).names).toEqual(expected);
  expect(read([], { NAMES: 'a,b c' }).names).toEqual(expected);
  expect(read(['--name=a'], { NAMES: 'b' }).names).toEqual(['a']);
  expect(read(['--token=a,b', '--token=c']).tokens).toEqual(['a,b', 'c']);
  expect(read([], { TOKENS: ' a,b  c' }).tokens).toEqual(['a,b', 'c']);
});

test('switches are turned on and off', () => {
  expect(read(['--no-fast']).isFast).toBe(false);
  expect(read(['--fast'], { FAST: 'false' }).isFast).toBe(true);
  expect(read([], { FAST: 'false' }).isFast).toBe(false);
});

test('all that is wrong is said at once, each with where it came from; a secret is not shown', () => {
  expect(problems(['--port=x', '--name=a,B', '--token=SECRET'], { FAST: 'perhaps' })).toEqual([
    '--port: expected a whole number, 0 to 65535, got "x"',
    '--name: expected a word, got "B"',
    '--token: expected a word, got (not shown)',
    'FAST: expected true or false, got "perhaps"',
  ]);
  expect(problems(['--name='])).toEqual(['--name: expected a word, got ""']);
  expect(problems(['--prt=1'])).toEqual(["Unknown option '--prt' (did you mean --port?)"]);
  expect(problems(['stray'])[0]).toContain("'stray'");
  expect(problems(['--fast=no'])[0]).toContain('--fast');
});

test('the help has each option with its value, variable, default and how lists are given', () => {
  const help = helpText('a program\n', TABLE);
  expect(help).toContain('--port PORT\n      Where. [default: 80] (PORT)\n');
  expect(help).toContain(
    '--name NAME\n      Who. For several, repeat it or separate them by commas. (NAMES)\n',
  );
  expect(help).toContain('--[no-]fast\n      How. [default: on] (FAST)\n');
  expect(help).toMatch(/-h, --help\n.*\n +--version\n/);
});
