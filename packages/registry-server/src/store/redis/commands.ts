import { readFileSync } from 'node:fs';
import type { Redis } from 'ioredis';
import type { PartitionKeys } from './keys.ts';

const NAMES = [
  'grant',
  'renew',
  'hold',
  'suspect',
  'update',
  'revoke',
  'expire',
  'put',
  'remove',
  'restore',
  'settle',
] as const;

type CommandName = (typeof NAMES)[number];

/** Runs one script with the arguments after the three that all share. The reply is not checked here. */
export type RunCommand = (
  name: CommandName,
  floor: number,
  args: readonly (string | number)[],
) => Promise<unknown>;

export interface CommandOptions {
  readonly keys: PartitionKeys;
  /** Makes the epoch to use if the store has none: another one each time, since it may be emptied again. */
  readonly makeEpoch: () => string;
  /** Entries that the log keeps, approximately. */
  readonly logLength: number;
  /** Lua source that defines `clock()`; Redis TIME by default, something else in tests of time. */
  readonly clockSource?: string | undefined;
}

const source = (name: string) =>
  readFileSync(new URL(`../../../lua/${name}.lua`, import.meta.url), 'utf8');

type Scripted = Record<string, (...args: (string | number)[]) => Promise<unknown>>;

/** Teaches a connection the scripts and gives them names; nobody else writes KEYS or ARGV. */
export function defineCommands(redis: Redis, options: CommandOptions): RunCommand {
  const head = `${options.clockSource ?? source('clock')}\n${source('prelude')}\n`;
  const keys = Object.values(options.keys) as string[];
  for (const name of NAMES) {
    const lua = head + source(name);
    redis.defineCommand(`rollcall_${name}`, { lua, numberOfKeys: keys.length });
  }
  const scripted = redis as unknown as Scripted;
  return (name, floor, args) => {
    const run = scripted[`rollcall_${name}`] as Scripted[string];
    return run.call(redis, ...keys, String(floor), options.makeEpoch(), options.logLength, ...args);
  };
}
