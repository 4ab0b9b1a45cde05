import * as limits from '../limits.ts';
import type { PartitionKeys } from './keys.ts';

/** What every script is given, before what is its own. */
const SHARED = ['floor', 'epoch', 'logLength'] as const;

/** What each script is given, in the order in which it is sent; those of {@link LISTED} take a list of any length besides. */
export const SCRIPTS = {
  grant: ['instanceKey', 'lease', 'nonce', 'takeover', 'body', 'maxInstances', 'sequence'],
  renew: [],
  hold: ['lease'],
  suspect: ['lease', 'hold', 'isSecondLook'],
  update: ['instanceKey', 'lease', 'patch', 'sequence'],
  revoke: ['instanceKey', 'lease', 'nonce', 'sequence'],
  expire: ['guardMs'],
  put: ['plan'],
  remove: ['key'],
  restore: ['afterRevision', 'afterMark'],
  settle: [],
} as const;

export type ScriptName = keyof typeof SCRIPTS;

/** What one script is given by name. */
export type ScriptArguments<N extends ScriptName> = Readonly<
  Record<(typeof SCRIPTS)[N][number], string | number>
>;

/** What is sent to a script: as its head names it. */
export function argumentsOf<N extends ScriptName>(
  name: N,
  shared: Readonly<Record<(typeof SHARED)[number], string | number>>,
  own: ScriptArguments<N>,
): (string | number)[] {
  const names: readonly (typeof SCRIPTS)[N][number][] = SCRIPTS[name];
  return [...SHARED.map((one) => shared[one]), ...names.map((one) => own[one])];
}

/** The Lua before a script that gives names to KEYS and ARGV: nobody counts them by hand. */
export function scriptHead(name: ScriptName, keys: readonly (keyof PartitionKeys)[]): string {
  const names = [...SHARED, ...SCRIPTS[name]];
  const table = (entries: readonly string[]) => `{ ${entries.join(', ')} }`;
  return [
    `local KEY = ${table(keys.map((key, i) => `${key} = KEYS[${i + 1}]`))}`,
    `local LIMITS = ${table(Object.entries(limits).map(([limit, value]) => `${limit} = ${value}`))}`,
    `local ARGS = ${table(names.map((one, i) => `${one} = ARGV[${i + 1}]`))}`,
    `local REST = ${names.length}`,
  ].join('\n');
}
