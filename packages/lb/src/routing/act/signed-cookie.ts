import { createHmac, timingSafeEqual } from 'node:crypto';

/** Bytes of a signature: enough that nobody guesses one. */
const SIGNATURE_BYTES = 16;

export interface CookieOptions {
  readonly name: string;
  /** 0: until the browser ends. */
  readonly maxAgeMs: number;
  readonly key: Buffer;
}

/** A cookie whose value clients cannot make up. */
export class SignedCookie {
  readonly #options: CookieOptions;

  constructor(options: CookieOptions) {
    this.#options = options;
  }

  /** The value that is in a Cookie field, if it is one of ours. */
  read(cookies: string | undefined): string | undefined {
    const text = cookieValue(cookies, this.#options.name);
    const dot = text?.lastIndexOf('.') ?? -1;
    if (text === undefined || dot === -1) return undefined;
    const value = Buffer.from(text.slice(0, dot), 'base64url').toString();
    const given = Buffer.from(text.slice(dot + 1), 'base64url');
    const wanted = this.#sign(value);
    return given.length === wanted.length && timingSafeEqual(given, wanted) ? value : undefined;
  }

  /** The line that sets it. */
  line(value: string, isSecure: boolean): string {
    const { name, maxAgeMs } = this.#options;
    const text = Buffer.from(value).toString('base64url');
    const age = maxAgeMs === 0 ? '' : `; Max-Age=${Math.ceil(maxAgeMs / 1_000)}`;
    const secure = isSecure ? '; Secure' : '';
    const signature = this.#sign(value).toString('base64url');
    return `Set-Cookie: ${name}=${text}.${signature}; Path=/; HttpOnly; SameSite=Lax${age}${secure}\r\n`;
  }

  #sign(value: string): Buffer {
    const { key, name } = this.#options;
    const digest = createHmac('sha256', key).update(`${name}=${value}`).digest();
    return digest.subarray(0, SIGNATURE_BYTES);
  }
}

/** The first cookie of that name. */
export function cookieValue(cookies: string | undefined, name: string): string | undefined {
  if (cookies === undefined) return undefined;
  for (const pair of cookies.split(';')) {
    const equals = pair.indexOf('=');
    if (equals !== -1 && pair.slice(0, equals).trim() === name)
      return pair.slice(equals + 1).trim();
  }
  return undefined;
}
