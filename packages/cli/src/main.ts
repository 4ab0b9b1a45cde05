#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { inspect } from 'node:util';
import { EXIT } from './base/cli-error.ts';
import { visibleText } from './output/untrusted.ts';
import { runProgram } from './program.ts';

const stop = new AbortController();
let interrupts = 0;
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    stop.abort();
    // A second signal means that the user does not want to wait.
    if (++interrupts > 1) process.exit(130);
  });
}
// A reader that closes the pipe early, such as head, is not an error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? 0 : 1);
});

const { version } = JSON.parse(
  readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
) as { version: string };
const isColoured = process.env['NO_COLOR'] === undefined;
const ended = runProgram(process.argv.slice(2), {
  out: {
    write: (chunk) => void process.stdout.write(chunk),
    isTerminal: process.stdout.isTTY,
    isDecorated: process.stdout.isTTY && isColoured,
  },
  err: {
    write: (chunk) => void process.stderr.write(chunk),
    isTerminal: process.stderr.isTTY,
    isDecorated: process.stderr.isTTY && isColoured,
  },
  env: process.env,
  signal: stop.signal,
  readStdin: () => text(process.stdin),
  version,
});
process.exitCode = await ended.catch((fault: unknown) => {
  // A bug of this program: the text may contain untrusted input.
  process.stderr.write(`${visibleText(inspect(fault))}\n`);
  return EXIT.failed;
});
// Forwarded connections may still be open.
process.stdout.write('', () => process.exit());
