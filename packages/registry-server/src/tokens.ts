import { createHash } from 'node:crypto';
import { NamespaceName, ServiceName } from '@rollcall/contract';
import { ConfigError } from './config.ts';
import { type Bearer, EVERYTHING, type Grants } from './registry/caller.ts';

const TOKEN = /^[^\s=,#]{16,512}$/;

const ANYBODY: Bearer = Object.freeze({ grants: EVERYTHING });

/** The tokens that the server knows. Only their hashes are kept. */
export class Tokens {
  readonly #bearers = new Map<string, Bearer>();

  /** Throws a {@link ConfigError} naming the entry by its number, never its text. */
  constructor(entries: readonly string[]) {
    for (const [i, entry] of entries.entries()) {
      const [token = '', scopes] = entry.split('=', 2);
      if (!TOKEN.test(token)) {
        throw new ConfigError(
          `token ${i + 1}: expected 16 to 512 characters without spaces, '=', ',' or '#', then optionally '=' and scopes`,
        );
      }
      const grants = grantsOf(scopes ?? 'admin', i + 1);
      this.#bearers.set(digest(token), Object.freeze({ grants, token: digest(token) }));
    }
  }

  /** Whether any token is set; if none is, everybody may do everything. */
  get isOpen(): boolean {
    return this.#bearers.size === 0;
  }

  /** Who an `Authorization` header says it is; undefined = no valid token. */
  bearerOf(authorization: string | undefined): Bearer | undefined {
    if (this.isOpen) return ANYBODY;
    if (authorization === undefined || !/^bearer /i.test(authorization)) return undefined;
    // Looked up by digest, so that the time it takes tells nothing of how near a guess came.
    return this.#bearers.get(digest(authorization.slice(7).trim()));
  }
}

/** Reads the lines of a token file. */
export function readTokenLines(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.replace(/#.*$/, '').trim())
    .filter((line) => line !== '');
}

function digest(token: string): string {
  return createHash('sha256').update(token).digest('base64');
}

function grantsOf(scopes: string, entry: number): Grants {
  let mayRead = false;
  let isAdmin = false;
  let mayReport = false;
  const register = new Set<string>();
  for (const scope of scopes.split(',')) {
    if (scope === 'admin') isAdmin = true;
    else if (scope === 'read') mayRead = true;
    else if (scope === 'report') mayReport = true;
    else if (isRegisterScope(scope)) register.add(scope.slice('register:'.length));
    else {
      throw new ConfigError(
        `token ${entry}: expected scopes read, report, register:SERVICE, register:NAMESPACE/SERVICE, register:* or admin, got ${JSON.stringify(scope)}`,
      );
    }
  }
  return Object.freeze({
    isAdmin,
    mayRead: mayRead || isAdmin,
    mayReport: mayReport || isAdmin,
    register,
  });
}

function isRegisterScope(scope: string): boolean {
  if (!scope.startsWith('register:')) return false;
  const parts = scope.slice('register:'.length).split('/');
  if (parts.length === 1) return parts[0] === '*' || ServiceName.safeParse(parts[0]).success;
  return (
    parts.length === 2 &&
    NamespaceName.safeParse(parts[0]).success &&
    ServiceName.safeParse(parts[1]).success
  );
}
