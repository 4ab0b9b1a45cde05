import { EventEmitter } from 'node:events';
import { expect, test } from 'vitest';
import { guardProcess } from './process-guard.ts';

test('faults in the background are logged with their stack, and SIGHUP with a line', () => {
  const lines: string[] = [];
  const streams = {
    stdout: new EventEmitter(),
    stderr: Object.assign(new EventEmitter(), { write: (text: string) => lines.push(text) }),
  };
  const guarded = Object.assign(new EventEmitter(), streams);
  guardProcess(guarded);
  guarded.emit('uncaughtException', new TypeError('of the background'));
  guarded.emit('uncaughtException', 'a word');
  guarded.emit('SIGHUP');
  streams.stdout.emit('error', new Error('EPIPE'));
  expect(lines[0]).toMatch(/TypeError: of the background\n +at .*process-guard\.test\.ts/);
  expect(lines[1]).toContain('going on: a word');
  expect(lines[2]).toContain('SIGHUP: ignored');
  expect(lines).toHaveLength(3);
});
