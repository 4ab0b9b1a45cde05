import type { Tell } from '@rollcall/daemon';
import type { Clock } from '@rollcall/runtime';
import type { Certificate } from './files/certificate.ts';
import { labelOf } from './certificate-label.ts';

const DAY_MS = 86_400_000;
/** Whoever renews certificates by machine does it earlier; whoever does it by hand still has time. */
const WARN_DAYS = 14;

/** Warns of certificates that are about to expire: once a day for each. */
export class ExpiryWarnings {
  readonly #clock: Clock;
  readonly #log: Tell;
  /** Remaining days of which the log was told last, by listener and certificate. */
  readonly #told = new Map<string, number>();

  constructor(clock: Clock, log: Tell) {
    this.#clock = clock;
    this.#log = log;
  }

  check(listener: string, certificate: Certificate): void {
    const { expiresAtMs, files, leaf } = certificate;
    const days = Math.floor((expiresAtMs - this.#clock.wallMs()) / DAY_MS);
    const key = `${listener} ${leaf.fingerprint256}`;
    if (days >= WARN_DAYS || this.#told.get(key) === days) return;
    this.#told.set(key, days);
    const what = `certificate ${labelOf(certificate)} of listener ${listener} (${files.cert})`;
    const at = new Date(expiresAtMs).toISOString();
    if (days < 0) this.#log(`${what} has expired, at ${at}: clients refuse it`, 'error');
    else this.#log(`${what} expires in ${days} days, at ${at}`, 'warn');
  }
}
