import { createHash } from 'node:crypto';
import { NamespaceName, ServiceName } from '@rollcall/contract';
import { ConfigError } from '@rollcall/daemon';
import { type Bearer, EVERYTHING, type Grants } from './caller.ts';

/** The namespace of a scope that names none. */
const HOME = 'default';

const TOKEN = /^[^\s=,#]{16,512}$/;

const ANYBODY: Bearer = Object.freeze({ grants: EVERYTHING });

/** The tokens that the server knows. Only their hashes are kept. */
export class Tokens {
  readonly #bearers = new Map<string, Bearer>();

  /** Throws a {@link ConfigError} that names the entry by its number, never by its text. */
  constructor(entries: readonly string[]) {
    for (const [i, entry] of entries.entries()) {
      const [token = '', scopes] = entry.split(/=(.*)/s);
      if (!TOKEN.test(token)) {
        throw new ConfigError(
          `token ${i + 1}: expected 16 to 512 characters without spaces, '=', ',' or '#', then optionally '=' and scopes`,
        );
      }
      const grants = grantsOf(scopes ?? 'admin', i + 1);
      this.#bearers.set(digest(token), Object.freeze({ grants, token: digest(token) }));
    }
  }

  /** Whether no token is set: then every caller may do everything. */
  get isOpen(): boolean {
    return this.#bearers.size === 0;
  }

  /** The bearer of an `Authorization` header; undefined = no valid token. */
  bearerOf(authorization: string | undefined): Bearer | undefined {
    if (this.isOpen) return ANYBODY;
    if (authorization === undefined || !/^bearer /i.test(authorization)) return undefined;
    // Looked up by digest, so that the time it takes does not reveal how close a guess was.
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
  const grants = {
    isAdmin: false,
    read: new Set<string>(),
    report: new Set<string>(),
    secrets: new Set<string>(),
    register: new Set<string>(),
  };
  for (const scope of scopes.split(',')) {
    const [what = '', where] = scope.split(/:(.*)/s);
    const isOwn = what === 'read' || what === 'report' || what === 'secrets';
    const service = what === 'register' ? servicePattern(where) : undefined;
    if (scope === 'admin') grants.isAdmin = true;
    else if (isOwn && (where === undefined || isNamespace(where))) grants[what].add(where ?? HOME);
    else if (service !== undefined) grants.register.add(service);
    else {
      throw new ConfigError(
        `token ${entry}: expected scopes read:NAMESPACE, report:NAMESPACE, secrets:NAMESPACE, register:NAMESPACE/SERVICE, each part a name or *, or admin, got ${JSON.stringify(scope)}`,
      );
    }
  }
  return Object.freeze(grants);
}

const isNamespace = (text: string) => text === '*' || NamespaceName.safeParse(text).success;
const isService = (text: string) => text === '*' || ServiceName.safeParse(text).success;

/** Reads `NAMESPACE/SERVICE`; without a namespace it means the default one. */
function servicePattern(text = ''): string | undefined {
  const parts = text.split('/');
  const [namespace = '', service = ''] = parts.length === 1 ? [HOME, ...parts] : parts;
  const isOne = parts.length <= 2 && isNamespace(namespace) && isService(service);
  return isOne ? `${namespace}/${service}` : undefined;
}
