import { createHmac } from 'node:crypto';
import { systemRandom } from '@rollcall/runtime';
import type { RequestView, Respond } from '@rollcall/dataplane';
import {
  type Gate,
  GRANTED,
  type Granted,
  type Question,
  questionOf,
  type Verdict,
} from './gate.ts';
import { isPassword, type Users } from '../../passwords/password-file.ts';

/** Checking a password takes 0.2 s of a core: what was right is remembered, as a keyed hash. */
const REMEMBERED = 1_000;
/** So many are checked at once; others are asked to come again, since each costs 16 MB. */
const AT_ONCE = 8;

const CREDENTIALS = /^Basic +([A-Za-z0-9+/=]+)$/i;

/** Lets users pass who know their password (RFC 7617). */
export class BasicAuth implements Gate {
  readonly #users: Users;
  readonly #refusal: Respond;
  readonly #known = new Set<string>();
  /** Of this process alone. */
  readonly #secret = systemRandom.hex(32);
  #underWay = 0;

  constructor(users: Users, realm: string) {
    this.#users = users;
    this.#refusal = Object.freeze({
      kind: 'respond',
      status: 401,
      code: 'unauthenticated',
      detail: 'name and password are needed',
      fields: [`WWW-Authenticate: Basic realm="${realm}", charset="UTF-8"`],
    });
  }

  judge(request: RequestView): Verdict | Question {
    const [, encoded] = CREDENTIALS.exec(request.field('authorization') ?? '') ?? [];
    if (encoded === undefined) return this.#refusal;
    const digest = createHmac('sha256', this.#secret).update(encoded).digest('base64');
    if (this.#known.has(digest)) return PASSED;
    if (this.#underWay >= AT_ONCE) return BUSY;
    return questionOf(
      () => this.#check(encoded, digest),
      () => this.#refusal,
    );
  }

  async #check(encoded: string, digest: string): Promise<Verdict> {
    const text = Buffer.from(encoded, 'base64').toString();
    const colon = text.indexOf(':');
    if (colon === -1) return this.#refusal;
    this.#underWay++;
    try {
      const isRight = await isPassword(this.#users, text.slice(0, colon), text.slice(colon + 1));
      if (!isRight) return this.#refusal;
    } finally {
      this.#underWay--;
    }
    if (this.#known.size >= REMEMBERED) this.#known.clear();
    this.#known.add(digest);
    return PASSED;
  }
}

/** The password is not for the target. */
const PASSED: Granted = Object.freeze({ ...GRANTED, removed: ['authorization'] });

const BUSY: Respond = Object.freeze({
  kind: 'respond',
  status: 503,
  code: 'passwords_busy',
  detail: 'too many passwords are being checked',
});
