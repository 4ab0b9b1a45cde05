import type { Endpoint } from '@rollcall/contract';
import { Ejection, type EjectionOptions } from './ejection.ts';
import type { Random } from '../order/order.ts';
import { createPicker } from '../picker/leveled-picker.ts';
import type { Picker } from '../order/picker.ts';
import { type LoadCounters, PoolMember } from './pool-member.ts';
import { type PoolRules, PoolSnapshot } from './pool-snapshot.ts';
import { usable } from './usable.ts';

export interface PoolOptions<C extends LoadCounters> {
  /** For messages. */
  readonly name: string;
  readonly createCounters: () => C;
  readonly ejection: Omit<EjectionOptions, 'random'>;
  /** Monotonic, in ms. */
  readonly nowMs: () => number;
  readonly random: Random;
}

interface Mix {
  readonly scheduler: PoolRules['scheduler'];
  readonly entries: readonly { readonly member: unknown; weight: number; tier: number }[];
}

/**
 * The endpoints of one port of a service, as connections are spread over them: tiers and weights, the scheduler, bonds
 * of clients, and the ejection of what cannot be connected to. Who owns it tells it of endpoints and outcomes.
 *
 * Endpoints that terminate take no new connections, unless no other is left and they still serve.
 */
export class EndpointPool<C extends LoadCounters> {
  readonly name: string;
  readonly #options: PoolOptions<C>;
  readonly #ejection: Ejection;
  readonly #members = new Map<string, PoolMember<C>>();
  #rules: PoolRules;
  #snapshot: PoolSnapshot<C>;
  #picker: Picker<PoolMember<C>>;
  #mix: Mix | undefined;
  #nextReturnMs = Infinity;

  constructor(rules: PoolRules, options: PoolOptions<C>) {
    this.name = options.name;
    this.#rules = rules;
    this.#options = options;
    this.#ejection = new Ejection({ ...options.ejection, random: options.random });
    this.#picker = createPicker<PoolMember<C>>(rules.scheduler, [], options);
    this.#snapshot = this.#rebuild();
  }

  /** The endpoints that there are, and how to choose from now on. @returns the members that have left. */
  take(endpoints: readonly Endpoint[], rules: PoolRules): readonly PoolMember<C>[] {
    this.#rules = rules;
    const gone = new Map(this.#members);
    const same = new Set<string>();
    for (const endpoint of endpoints) {
      const known = this.#members.get(endpoint.id);
      if (known?.isAt(endpoint) === true) {
        known.endpoint = endpoint;
        same.add(endpoint.id);
        gone.delete(endpoint.id);
      } else {
        const member = new PoolMember(endpoint, this.#options.createCounters());
        this.#members.set(endpoint.id, member);
      }
    }
    for (const [id, member] of gone) if (this.#members.get(id) === member) this.#members.delete(id);
    this.#ejection.retain(same);
    this.#snapshot = this.#rebuild();
    return [...gone.values()];
  }

  snapshot(): PoolSnapshot<C> {
    // Ejections end without a timer: whoever asks next brings the time.
    if (this.#nextReturnMs !== Infinity && this.#options.nowMs() >= this.#nextReturnMs)
      this.#snapshot = this.#rebuild();
    return this.#snapshot;
  }

  members(): Iterable<PoolMember<C>> {
    return this.#members.values();
  }

  isEjected(member: PoolMember<C>): boolean {
    return this.#ejection.isEjected(member.id, this.#options.nowMs());
  }

  /** It could not be connected to: it is left out for a while. */
  connectFailed(member: { readonly id: string }): void {
    // An answer about one that has left says nothing about the one that took its place.
    if (this.#members.get(member.id) !== member) return;
    if (this.#ejection.failed(member.id, 'connect', this.#options.nowMs()))
      this.#snapshot = this.#rebuild();
  }

  connected(member: { readonly id: string }): void {
    this.#ejection.succeeded(member.id);
  }

  #rebuild(): PoolSnapshot<C> {
    const { nowMs, random } = this.#options;
    const now = nowMs();
    const inUse = usable(this.#members.values());
    const admitted = this.#ejection.admitted(inUse, now);
    this.#nextReturnMs = this.#ejection.nextReturnMs(now);
    const { scheduler } = this.#rules;
    // What changes nothing keeps the picker, and with it whose turn it is.
    if (!isSameMix(this.#mix, scheduler, admitted)) {
      this.#picker = createPicker(scheduler, admitted, { random });
      const entries = admitted.map((member) => {
        const { weight, tier } = member;
        return { member, weight, tier };
      });
      this.#mix = { scheduler, entries };
    }
    const explain = () => this.#explain();
    const picker = this.#picker;
    return new PoolSnapshot<C>({ picker, rules: this.#rules, usable: inUse, nowMs, explain });
  }

  #explain(): string {
    const known = this.#members.size;
    return known === 0
      ? `${this.name} has no endpoints`
      : `none of the ${known} endpoints of ${this.name} takes new connections`;
  }
}

function isSameMix<C extends LoadCounters>(
  mix: Mix | undefined,
  scheduler: PoolRules['scheduler'],
  admitted: readonly PoolMember<C>[],
): boolean {
  return (
    mix?.scheduler === scheduler &&
    mix.entries.length === admitted.length &&
    mix.entries.every((entry, at) => {
      const member = admitted[at]!;
      return (
        entry.member === member && entry.weight === member.weight && entry.tier === member.tier
      );
    })
  );
}
