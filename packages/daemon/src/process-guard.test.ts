import { EventEmitter } from 'node:events';
import { expect, test } from 'vitest';
import { guardProcess, stackOf } from './process-guard.ts';

test('faults in the background are told with their stack, SIGHUP is passed on, and a closed output not at all', () => {
  const lines: string[] = [];
  const streams = { stdout: new EventEmitter(), stderr: new EventEmitter() };
  const guarded = Object.assign(new EventEmitter(), streams);
  const log = {
    onFault: (error: unknown) => void lines.push(stackOf(error)),
    onHangup: () => void lines.push('hung up'),
  };
  guardProcess(log, guarded);
  guarded.emit('uncaughtException', new TypeError('of the background'));
  guarded.emit('uncaughtException', 'a word');
  guarded.emit('SIGHUP');
  streams.stdout.emit('error', new Error('EPIPE'));
  streams.stderr.emit('error', new Error('EPIPE'));
  expect(lines[0]).toMatch(/TypeError: of the background\n +at .*process-guard\.test\.ts/);
  expect(lines.slice(1)).toEqual(['a word', 'hung up']);
});
