import type { Clock } from '@rollcall/runtime';
import { createRemoteJWKSet, errors } from 'jose';

/** After a fetch that did not find the key of a token, the keys are not fetched for another token for this long, in ms. */
const COOLDOWN_MS = 30_000;
const FETCH_MS = 5_000;

type Keys = ReturnType<typeof createRemoteJWKSet>;

/**
 * The keys that an issuer publishes, fetched when they are first needed and when a token names one that is not known: the
 * issuer may have changed its keys a moment ago. Tokens that name random keys must not cause a fetch each.
 */
export class JwtKeys {
  readonly #keys: Keys;
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  #fetching: Promise<void> | undefined;
  /** When a fetch last did not find the key of a token. */
  #vainMs = -Infinity;

  constructor(url: string, clock: Pick<Clock, 'monotonicMs'>) {
    this.#clock = clock;
    // This class decides when they are fetched again.
    this.#keys = createRemoteJWKSet(new URL(url), {
      cooldownDuration: Infinity,
      timeoutDuration: FETCH_MS,
    });
  }

  /** Verifies with the known keys and, if the token names another one, with newly fetched keys. Rejects as `verify` does. */
  async with<T>(verify: (keys: Keys) => Promise<T>): Promise<T> {
    try {
      return await verify(this.#keys);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey) || !this.#mayFetch) throw error;
    }
    await (this.#fetching ??= this.#fetch());
    try {
      return await verify(this.#keys);
    } catch (error) {
      if (error instanceof errors.JWKSNoMatchingKey) this.#vainMs = this.#clock.monotonicMs();
      throw error;
    }
  }

  get #mayFetch(): boolean {
    return this.#fetching !== undefined || this.#clock.monotonicMs() - this.#vainMs >= COOLDOWN_MS;
  }

  async #fetch(): Promise<void> {
    try {
      await this.#keys.reload();
    } finally {
      this.#fetching = undefined;
    }
  }
}
