import { createHash } from 'node:crypto';
import type { RequestView, Respond } from '@rollcall/dataplane';
import type { Clock } from '@rollcall/runtime';
import { errors, type JWTPayload, jwtVerify } from 'jose';
import type { JwtConfig } from '../../config/rule-schema.ts';
import { type Gate, type Granted, type Question, questionOf, type Verdict } from './gate.ts';
import { JwtKeys } from './jwt-keys.ts';

const BEARER = /^Bearer +([A-Za-z0-9._~+/=-]+)$/i;
/** Tokens that were right are remembered, each until it expires, but not for longer than this, in ms. */
const REMEMBERED_MS = 60_000;
const REMEMBERED = 10_000;
/** Clocks of issuers differ by so much, in s. */
const TOLERANCE_S = 5;
const SAFE_VALUE = /^[\x20-\x7e]*$/;

interface Remembered {
  readonly granted: Granted;
  readonly untilMs: number;
}

/** Lets requests pass that carry a token of somebody who is trusted (RFC 6750, RFC 7519). */
export class JwtGate implements Gate {
  readonly #config: JwtConfig;
  readonly #clock: Pick<Clock, 'monotonicMs' | 'wallMs'>;
  readonly #keys: JwtKeys;
  /** By digest of the token. */
  readonly #remembered = new Map<string, Remembered>();

  constructor(config: JwtConfig, clock: Pick<Clock, 'monotonicMs' | 'wallMs'>) {
    this.#config = config;
    this.#clock = clock;
    this.#keys = new JwtKeys(config.jwks, clock);
  }

  judge(request: RequestView): Verdict | Question {
    const [, token] = BEARER.exec(request.field('authorization') ?? '') ?? [];
    if (token === undefined) return MISSING;
    const digest = createHash('sha256').update(token).digest('base64');
    const known = this.#remembered.get(digest);
    if (known !== undefined && this.#clock.monotonicMs() < known.untilMs) return known.granted;
    return questionOf(() => this.#verify(token, digest), refusalOf);
  }

  async #verify(token: string, digest: string): Promise<Verdict> {
    const { issuer, audience, algorithms } = this.#config;
    const expected = {
      issuer,
      ...(audience === undefined ? {} : { audience }),
      algorithms: [...algorithms],
      requiredClaims: ['exp'],
      clockTolerance: TOLERANCE_S,
    };
    const { payload } = await this.#keys.with((keys) => jwtVerify(token, keys, expected));
    const granted = this.#grantedBy(payload);
    const leftMs = payload.exp! * 1_000 - this.#clock.wallMs();
    if (this.#remembered.size >= REMEMBERED) this.#remembered.clear();
    const untilMs = this.#clock.monotonicMs() + Math.min(leftMs, REMEMBERED_MS);
    this.#remembered.set(digest, { granted, untilMs });
    return granted;
  }

  /** A client cannot make up what the token does not say. */
  #grantedBy(payload: JWTPayload): Granted {
    const forwarded = Object.entries(this.#config.forward);
    const lines = forwarded.flatMap(([claim, field]) => {
      const value = payload[claim];
      const text = typeof value === 'string' ? value : JSON.stringify(value ?? null);
      return value === undefined || !SAFE_VALUE.test(text) ? [] : [`${field}: ${text}\r\n`];
    });
    const removed = forwarded.map(([, field]) => field.toLowerCase());
    return Object.freeze({ kind: 'granted', removed, lines: lines.join('') });
  }
}

function refusal(status: number, code: string, detail: string, error?: string): Respond {
  const challenge = error === undefined ? 'Bearer' : `Bearer error="${error}"`;
  const fields = status === 401 ? { fields: [`WWW-Authenticate: ${challenge}`] } : {};
  return Object.freeze({ kind: 'respond', status, code, detail, ...fields });
}

const MISSING = refusal(401, 'unauthenticated', 'a bearer token is needed');

function refusalOf(error: unknown): Respond {
  if (error instanceof errors.JWTExpired)
    return refusal(401, 'token_expired', 'the token has expired', 'invalid_token');
  const isTheirs = error instanceof errors.JOSEError && !(error instanceof errors.JWKSTimeout);
  if (isTheirs && !(error instanceof errors.JWKSInvalid))
    return refusal(401, 'token_invalid', 'the token is not valid', 'invalid_token');
  const { message } = error as Error;
  return {
    ...refusal(503, 'keys_unavailable', 'tokens cannot be verified at the moment'),
    cause: `the keys of tokens cannot be fetched: ${message}`,
  };
}
