import * as limits from '../limits.ts';
import type { PartitionKeys } from './keys.ts';

/** The arguments of every script, before its own. */
const SHARED = ['floor', 'epoch', 'logLength'] as const;

/**
 * The own arguments of each script, in the order of sending. Some scripts also take a list of any length at the end.
 */
export const SCRIPTS = {
  grant: ['instanceKey', 'lease', 'nonce', 'takeover', 'body', 'maxInstances', 'sequence'],
  renew: [],
  hold: ['lease'],
  suspect: ['lease', 'hold', 'isSecondLook'],
  update: ['instanceKey', 'lease', 'patch', 'sequence'],
  revoke: ['instanceKey', 'lease', 'nonce', 'sequence'],
  expire: ['guardMs'],
  put: ['plan'],
  remove: ['key', 'expected'],
  restore: ['afterRevision', 'afterDigest'],
  settle: [],
} as const;

export type ScriptName = keyof typeof SCRIPTS;

/** The own arguments of one script, by name. */
export type ScriptArguments<N extends ScriptName> = Readonly<
  Record<(typeof SCRIPTS)[N][number], string | number>
>;

/** The values that are sent to a script, in the order that its head expects. */
export function argumentsOf<N extends ScriptName>(
  name: N,
  shared: Readonly<Record<(typeof SHARED)[number], string | number>>,
  own: ScriptArguments<N>,
): (string | number)[] {
  const names: readonly (typeof SCRIPTS)[N][number][] = SCRIPTS[name];
  return [...SHARED.map((one) => shared[one]), ...names.map((one) => own[one])];
}

/** The Lua head of a script, which names the entries of KEYS and ARGV, so that no code counts them by hand. */
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
