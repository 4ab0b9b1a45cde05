import { createHash } from 'node:crypto';
import { NamespaceName, ServiceName } from '@rollcall/contract';
import { ConfigError } from './config.ts';
import { EVERYTHING, type Grants } from './registry/caller.ts';

const TOKEN = /^[^\s=,#]{16,512}$/;

/** The tokens that the server knows. Only their hashes are kept. */
export class Tokens {
  readonly #grants = new Map<string, Grants>();

  /** Throws a {@link ConfigError} naming the entry by its number, never its text. */
  constructor(entries: readonly string[]) {
    for (const [i, entry] of entries.entries()) {
      const [token = '', scopes] = entry.split('=', 2);
      if (!TOKEN.test(token)) {
        throw new ConfigError(
          `token ${i + 1}: expected 16 to 512 characters without spaces, '=', ',' or '#', then optionally '=' and scopes`,
        );
      }
      this.#grants.set(digest(token), grantsOf(scopes ?? 'admin', i + 1));
    }
  }

  /** Whether any token is set; if none is, everybody may do everything. */
  get isOpen(): boolean {
    return this.#grants.size === 0;
  }

  /** The same text for the same valid token, telling nothing of it; undefined without one. */
  keyFor(authorization: string | undefined): string | undefined {
    if (this.isOpen || authorization === undefined) return undefined;
    const key = digest(authorization.slice(7).trim());
    return this.#grants.has(key) ? key : undefined;
  }

  /** What an `Authorization` header allows; undefined = no valid token. */
  grantsFor(authorization: string | undefined): Grants | undefined {
    if (this.isOpen) return EVERYTHING;
    if (authorization === undefined || !/^bearer /i.test(authorization)) return undefined;
    // Looked up by digest, so that the time it takes tells nothing of how near a guess came.
    return this.#grants.get(digest(authorization.slice(7).trim()));
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
