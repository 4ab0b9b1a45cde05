import type { Endpoint } from '@rollcall/client-sdk';
import type { Tell } from '@rollcall/daemon';
import { createSourceRanges } from '@rollcall/dataplane';
import type { Clock, Random, Timer } from '@rollcall/runtime';
import type { NamedTargetsConfig } from '../config/source-schema.ts';
import type { AddressAnswer, Resolver } from './resolver.ts';
import type { TargetSource } from './target-source.ts';
import { endpointAt } from './written-source.ts';

/** While no address is known, the name is looked up this often, in ms. */
const FIRST_MS = 1_000;

/**
 * Addresses that no target has: unspecified, multicast and link-local ones. At a link-local address a cloud gives out the
 * credentials of the machine, and a name server that somebody else controls must not lead requests to it.
 */
const isOdd = createSourceRanges([
  '0.0.0.0/8',
  '169.254.0.0/16',
  '224.0.0.0/3',
  '::/128',
  'fe80::/10',
  'ff00::/8',
]);

const usableOf = (addresses: readonly string[]): readonly string[] =>
  addresses.filter((address) => !isOdd(address));

export interface DnsSourceParts {
  readonly clock: Pick<Clock, 'monotonicMs' | 'after'>;
  readonly random: Random['share'];
  readonly resolver: Resolver;
  readonly log: Tell;
}

/**
 * The addresses of a name, which is looked up again and again. When a lookup fails, or finds no address any more, the
 * addresses of the last good answer stay: health checks find out which of them still answer.
 */
export class DnsSource implements TargetSource {
  readonly #config: NamedTargetsConfig;
  readonly #parts: DnsSourceParts;
  readonly #listeners = new Set<() => void>();
  #endpoints: readonly Endpoint[] | undefined;
  /** Of each family, the addresses of the last good answer. */
  #known: { readonly v4: readonly string[]; readonly v6: readonly string[] } = { v4: [], v6: [] };
  #answeredMs = 0;
  #fault = 'it has not been asked for yet';
  #isTroubled = false;
  #isClosed = false;
  #timer: Timer | undefined;

  constructor(config: NamedTargetsConfig, parts: DnsSourceParts) {
    this.#config = config;
    this.#parts = parts;
    void this.#run();
  }

  endpoints(): readonly Endpoint[] | undefined {
    return this.#endpoints;
  }

  ageMs(): number {
    if (this.#endpoints === undefined) return Infinity;
    return this.#parts.clock.monotonicMs() - this.#answeredMs;
  }

  explain(): string {
    return this.#endpoints === undefined ? this.#fault : '';
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
    this.#parts.resolver.close();
  }

  async #run(): Promise<void> {
    try {
      const answer = await this.#parts.resolver.resolve(this.#config.name);
      if (!this.#isClosed) this.#take(answer);
    } finally {
      // Also after a fault of this program, which the caller gets: the lookups must go on.
      this.#plan();
    }
  }

  #plan(): void {
    const { clock, random } = this.#parts;
    const { everyMs } = this.#config;
    if (this.#isClosed) return;
    const hasNone = (this.#endpoints ?? []).length === 0;
    const pauseMs = hasNone ? Math.min(everyMs, FIRST_MS) : everyMs;
    // 10 % jitter, so that many balancers do not ask at the same moment.
    this.#timer = clock.after(pauseMs * (0.9 + 0.2 * random()), () => void this.#run());
  }

  #take({ v4, v6 }: AddressAnswer): void {
    const next = {
      v4: v4.kind === 'failed' ? this.#known.v4 : usableOf(v4.addresses),
      v6: v6.kind === 'failed' ? this.#known.v6 : usableOf(v6.addresses),
    };
    const faults = [v4, v6].flatMap((one) => (one.kind === 'failed' ? [one.reason] : []));
    const isEmpty = next.v4.length + next.v6.length === 0;
    if (faults.length === 2 || isEmpty) {
      this.#fail(faults[0] ?? 'it has no address that a target can have');
      // No address is an answer too: whoever waits for the first one need not wait longer.
      if (faults.length === 0 && this.#endpoints === undefined) this.#show([]);
      return;
    }
    this.#known = next;
    this.#answeredMs = this.#parts.clock.monotonicMs();
    this.#recover();
    this.#show([...next.v4.toSorted(), ...next.v6.toSorted()]);
  }

  /** Once for each series of failures. */
  #fail(reason: string): void {
    const { name } = this.#config;
    this.#fault = `${name}: ${reason}`;
    if (this.#isTroubled) return;
    this.#isTroubled = true;
    const rest = (this.#endpoints ?? []).length === 0 ? '' : '; the last known addresses stay';
    this.#parts.log(`dns: ${this.#fault}${rest}`, 'warn');
  }

  #recover(): void {
    if (this.#isTroubled) this.#parts.log(`dns: ${this.#config.name} has addresses again`);
    this.#isTroubled = false;
  }

  #show(addresses: readonly string[]): void {
    const { port, zone, weight, name } = this.#config;
    const isSame =
      this.#endpoints?.length === addresses.length &&
      this.#endpoints.every(({ address }, at) => address === addresses[at]);
    if (isSame) return;
    this.#endpoints = addresses.map((address) =>
      endpointAt({ address, port, zone, weight }, `an address of ${name}`),
    );
    for (const listener of this.#listeners) listener();
  }
}
