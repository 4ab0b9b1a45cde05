import type { Listener, PortPlace, PortService } from '@rollcall/dataplane';
import type { Frontend, FrontendState, FrontendStatus } from './service-plane.ts';

/** Binds an address for a protocol. Rejects with the system's error. */
export type Bind = (frontend: Frontend, place: PortPlace) => Promise<Listener>;

const FIRST_RETRY_MS = 1_000;
const LAST_RETRY_MS = 8_000;

export interface Claim {
  readonly owner: string;
  frontend: Frontend;
}

/**
 * One address, port and protocol of this machine, and its claims. The first claim is served; when it is released the
 * next one is, on the same open listener.
 */
export class Binding implements PortPlace {
  readonly #bind: Bind;
  readonly #onChange: (binding: Binding) => void;
  readonly #claims: Claim[] = [];
  #state: Exclude<FrontendState, 'taken'> = 'binding';
  #listener: Listener | undefined;
  #error: NodeJS.ErrnoException | undefined;
  /** Whether an attempt to bind it is under way. */
  isUnderWay = false;
  #retryMs = FIRST_RETRY_MS;
  #retryAt = Number.POSITIVE_INFINITY;
  #isClosed = false;
  #last: Frontend;

  constructor(frontend: Frontend, bind: Bind, onChange: (binding: Binding) => void) {
    this.#last = frontend;
    this.#bind = bind;
    this.#onChange = onChange;
  }

  /** The first claim's service; without claims the last one's, for clients that are just connecting. */
  get service(): PortService {
    return (this.#claims[0]?.frontend ?? this.#last).service;
  }

  get owners(): string[] {
    return this.#claims.map(({ owner }) => owner);
  }

  get isUnused(): boolean {
    return this.#claims.length === 0;
  }

  /** Claims it, or replaces the frontend of the claim. */
  claim(owner: string, frontend: Frontend): void {
    const known = this.#claims.find((claim) => claim.owner === owner);
    if (known === undefined) this.#claims.push({ owner, frontend });
    else known.frontend = frontend;
    if (this.#listener === undefined && this.#retryAt === Number.POSITIVE_INFINITY) this.#open();
  }

  /** Releases a claim; without any claim the address is released too. */
  release(owner: string): void {
    const at = this.#claims.findIndex((claim) => claim.owner === owner);
    if (at !== -1) this.#last = this.#claims.splice(at, 1)[0]!.frontend;
    if (this.#claims.length === 0) this.#giveBack();
    else if (at === 0) this.#onChange(this);
  }

  statusOf(owner: string): FrontendStatus {
    const [first] = this.#claims;
    const { frontend } = this.#claims.find((claim) => claim.owner === owner)!;
    if (first!.owner !== owner)
      return { frontend, state: 'taken', code: '', detail: `${first!.owner} has it` };
    const { code = '', message = '' } = this.#error ?? {};
    return { frontend, state: this.#state, code, detail: message };
  }

  /** Retries when it is time. Call it several times a second. */
  retryIfDue(now: number): void {
    if (this.#retryAt === 0) this.#retryAt = now + this.#retryMs;
    if (now < this.#retryAt || this.isUnused) return;
    this.#retryMs = Math.min(this.#retryMs * 2, LAST_RETRY_MS);
    this.#open();
  }

  /** From now on it opens nothing. Its server closes the open listener after it has served the connected clients. */
  retire(): void {
    this.#isClosed = true;
  }

  #open(): void {
    if (this.isUnderWay || this.#isClosed) return;
    this.isUnderWay = true;
    this.#retryAt = Number.POSITIVE_INFINITY;
    this.#bind(this.#claims[0]!.frontend, this).then(
      (listener) => this.#succeed(listener),
      (error: NodeJS.ErrnoException) => this.#fail(error),
    );
  }

  #succeed(listener: Listener): void {
    this.isUnderWay = false;
    this.#listener = listener;
    this.#error = undefined;
    this.#retryMs = FIRST_RETRY_MS;
    // Without a claim, or after the end, there is no status to report.
    if (this.isUnused || this.#isClosed) this.#giveBack();
    else this.#enter('bound');
  }

  #fail(error: NodeJS.ErrnoException): void {
    const isSame = this.#error?.code === error.code;
    this.isUnderWay = false;
    this.#error = error;
    // `retryIfDue` replaces this by a time.
    this.#retryAt = 0;
    if (this.isUnused) this.#giveBack();
    else this.#enter('failed', isSame);
  }

  #enter(state: 'bound' | 'failed', isSameReason = true): void {
    const isSame = this.#state === state && isSameReason;
    this.#state = state;
    if (!isSame) this.#onChange(this);
  }

  #giveBack(): void {
    const listener = this.#listener;
    this.#listener = undefined;
    this.#state = 'binding';
    this.#error = undefined;
    this.#retryAt = Number.POSITIVE_INFINITY;
    this.#retryMs = FIRST_RETRY_MS;
    void listener?.close();
  }
}
