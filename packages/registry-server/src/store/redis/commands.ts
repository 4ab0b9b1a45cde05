import { readFileSync } from 'node:fs';
import type { Redis } from 'ioredis';
import type { PartitionKeys } from './keys.ts';
import {
  argumentsOf,
  scriptHead,
  type ScriptArguments,
  type ScriptName,
  SCRIPTS,
} from './script-head.ts';

/** Start of the prelude's error reply for a store without an epoch. */
const NO_EPOCH = 'NOEPOCH';

/** Runs one script. `list` is for the scripts that take one. Does not check the reply. */
export type RunCommand = <N extends ScriptName>(
  name: N,
  floor: number,
  args: ScriptArguments<N>,
  list?: readonly string[],
) => Promise<unknown>;

export interface CommandOptions {
  readonly keys: PartitionKeys;
  /** Makes the epoch of a store that has none. Must differ each time, since the store may be emptied again. */
  readonly makeEpoch: () => string;
  /** Entries that the log keeps, approximately. */
  readonly logLength: number;
  /** Lua source that defines `clock()` and `runId()`, for tests. @default those of Redis */
  readonly clockSource?: string | undefined;
}

const source = (name: string) =>
  readFileSync(new URL(`../../../lua/${name}.lua`, import.meta.url), 'utf8');

type Scripted = Record<string, (...args: (string | number)[]) => Promise<unknown>>;

/** Defines the scripts on a connection. The only place that writes KEYS and ARGV. */
export function defineCommands(redis: Redis, options: CommandOptions): RunCommand {
  const { logLength, makeEpoch } = options;
  const shared = `${options.clockSource ?? source('clock')}\n${source('prelude')}\n`;
  const keys = Object.values(options.keys) as string[];
  const keyNames = Object.keys(options.keys) as (keyof PartitionKeys)[];
  for (const name of Object.keys(SCRIPTS) as ScriptName[]) {
    const lua = `${scriptHead(name, keyNames)}\n${shared}${source(name)}`;
    redis.defineCommand(`rollcall_${name}`, { lua, numberOfKeys: keys.length });
  }
  const scripted = redis as unknown as Scripted;
  return async (name, floor, args, list = []) => {
    const run = scripted[`rollcall_${name}`] as Scripted[string];
    const send = (epoch: string) =>
      run.call(redis, ...keys, ...argumentsOf(name, { floor, epoch, logLength }, args), ...list);
    try {
      return await send('');
    } catch (error) {
      if (!(error instanceof Error && error.message.startsWith(NO_EPOCH))) throw error;
      return send(makeEpoch());
    }
  };
}
