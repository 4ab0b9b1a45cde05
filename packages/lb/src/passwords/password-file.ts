import { scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { systemRandom } from '@rollcall/runtime';

const derive = promisify<string, Buffer, number, { N: number; r: number; p: number }, Buffer>(
  scrypt,
);

/** Parameters for passwords that are checked while somebody waits (OWASP, Password Storage Cheat Sheet). */
const COST = { N: 16_384, r: 8, p: 5 } as const;
const SALT_BYTES = 16;
const HASH_BYTES = 32;
const HASH = /^\$scrypt\$(\d+)\$(\d+)\$(\d+)\$([A-Za-z0-9_-]+)\$([A-Za-z0-9_-]+)$/;
/** Longer ones would cost more than the hash. */
const LONGEST_PASSWORD = 1_024;

interface PasswordHash {
  readonly cost: { readonly N: number; readonly r: number; readonly p: number };
  readonly salt: Buffer;
  readonly hash: Buffer;
}

export type Users = ReadonlyMap<string, PasswordHash>;

/** A line for a file of users: `$scrypt$N$r$p$salt$hash`. */
export async function hashPassword(password: string): Promise<string> {
  const salt = Buffer.from(systemRandom.hex(SALT_BYTES), 'hex');
  const hash = await derive(password, salt, HASH_BYTES, COST);
  const { N, r, p } = COST;
  return ['', 'scrypt', N, r, p, salt.toString('base64url'), hash.toString('base64url')].join('$');
}

/** Checked when a name is unknown, so that the time of an answer does not tell which names are known. */
const NOBODY: PasswordHash = {
  cost: COST,
  salt: Buffer.alloc(SALT_BYTES),
  hash: Buffer.alloc(HASH_BYTES),
};

export async function isPassword(users: Users, name: string, password: string): Promise<boolean> {
  const known = users.get(name);
  const { cost, salt, hash } = known ?? NOBODY;
  const derived = await derive(password.slice(0, LONGEST_PASSWORD), salt, hash.length, cost);
  return timingSafeEqual(derived, hash) && known !== undefined;
}

/** @throws Error that names the first line that is wrong. */
export function parseUsers(text: string): Users {
  const users = new Map<string, PasswordHash>();
  for (const [at, line] of text.split('\n').entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    const colon = line.indexOf(':');
    const match = HASH.exec(line.slice(colon + 1).trim());
    if (colon < 1 || match === null)
      throw new Error(`line ${at + 1}: expected name:$scrypt$..., as --hash-password writes it`);
    const [, N, r, p, salt = '', hash = ''] = match;
    users.set(line.slice(0, colon), {
      cost: { N: Number(N), r: Number(r), p: Number(p) },
      salt: Buffer.from(salt, 'base64url'),
      hash: Buffer.from(hash, 'base64url'),
    });
  }
  return users;
}
