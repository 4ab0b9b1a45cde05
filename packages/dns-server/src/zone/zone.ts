import { type ServiceSnapshot, serviceKeyOf } from '@rollcall/client-sdk';
import { RCODE, TYPE } from '../wire/codes.ts';
import { keyOf, labelsOf } from '../wire/name.ts';
import { type PreparedAnswer, prepareAnswer } from '../wire/prepared-answer.ts';
import type { DnsRecord } from '../wire/record.ts';
import { addressSet } from './address-records.ts';
import { Authority } from './authority.ts';
import { NameEntry } from './name-entry.ts';
import { type NameMeaning, type ServicePlace, parseName } from './name-meaning.ts';
import type { ZoneOptions } from './zone-options.ts';
import { EMPTY_SET, type RecordSet } from './record-set.ts';
import { ReverseTable } from './reverse-table.ts';
import { addressOfReverseName } from './reverse-name.ts';
import { ServiceTable } from './service-table.ts';

/** Maximum number of aliases followed within the zone. */
const MAX_ALIASES = 8;

interface Found {
  readonly set: RecordSet;
  /** The service whose change invalidates it; undefined = it is not cached. */
  readonly owner?: string;
}

/**
 * Answers questions for all names of this server. An answer is encoded at the first question after a change, and cached
 * until its service changes again. Only names that exist are cached, so clients cannot fill the cache with others.
 */
export class Zone {
  readonly #naming: ZoneOptions;
  readonly #authority: Authority;
  readonly #services: ServiceTable;
  readonly #reverse: ReverseTable;
  readonly #entries = new Map<string, NameEntry>();
  /** Keys of the entries that a change of the service invalidates. */
  readonly #keysOf = new Map<string, string[]>();

  constructor(naming: ZoneOptions, serial: number) {
    this.#naming = naming;
    this.#authority = new Authority(naming, serial);
    this.#services = new ServiceTable(naming);
    this.#reverse = new ReverseTable(this.#services, naming.ttl);
  }

  get serviceCount(): number {
    return this.#services.size;
  }

  /** Applies the new picture of a service. */
  put(snapshot: ServiceSnapshot): void {
    const { namespace, service } = snapshot;
    const isNew = this.#services.put(snapshot);
    this.#changed(namespace, service);
    // A new service may take a short name that referred to an instance of another service.
    if (isNew) this.#forgetAll();
  }

  remove(namespace: string, service: string): void {
    this.#services.remove(namespace, service);
    this.#changed(namespace, service);
  }

  /**
   * The answer to a question.
   * @param key the name in lower case, as `keyOf` encodes it
   * @returns undefined when the name is not for this server: outside its zone, and neither a short nor a reverse name
   *   that it knows
   */
  answer(key: string, type: number): PreparedAnswer | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return this.#resolve(key, type);
    return entry.answer(type) ?? this.#authority.noData(key, entry.isInZone);
  }

  /** Whether only this server can know the name. Usable before the first picture arrives. */
  isOwn(key: string): boolean {
    const labels = labelsOf(key);
    const meaning = parseName(labels, this.#naming);
    if (meaning.kind === 'short') return meaning.isOwn || labels.at(-1) === this.#naming.namespace;
    return meaning.kind !== 'outside' && meaning.kind !== 'reverse';
  }

  #resolve(key: string, type: number): PreparedAnswer | undefined {
    const labels = labelsOf(key);
    const meaning = parseName(labels, this.#naming);
    const isInZone = !['short', 'reverse', 'outside'].includes(meaning.kind);
    const found = this.#find(meaning, labels);
    if (found === undefined) {
      return isInZone || this.#isOurs(meaning, labels)
        ? this.#authority.nxDomain(key, isInZone)
        : undefined;
    }
    const { set, owner } = found;
    if (set.alias !== undefined) return this.#followed(key, type, set.alias);
    const { ttl, zone } = this.#naming;
    const entry = new NameEntry(key, set, { ttl, zone, isInZone });
    if (owner !== undefined) this.#keep(key, entry, owner);
    return entry.answer(type) ?? this.#authority.noData(key, isInZone);
  }

  #find(meaning: NameMeaning, labels: readonly string[]): Found | undefined {
    switch (meaning.kind) {
      case 'apex':
        return { set: this.#authority.apex() };
      case 'version':
        return { set: this.#authority.version() };
      case 'server':
        return { set: this.#authority.server() };
      case 'branch':
        return { set: EMPTY_SET };
      case 'namespace':
        return this.#services.hasNamespace(meaning.namespace) ? { set: EMPTY_SET } : undefined;
      case 'pod':
        return this.#findPod(meaning.namespace, meaning.address);
      case 'service':
      case 'short':
        return this.#firstOf(meaning.places);
      case 'reverse': {
        const address = addressOfReverseName(labels);
        const set = address === undefined ? undefined : this.#reverse.find(address);
        return set && { set };
      }
      default:
        return undefined;
    }
  }

  /** Not cached: it depends on all services of the namespace. */
  #findPod(namespace: string, address: string | undefined): Found | undefined {
    const { pods, ttl } = this.#naming;
    if (pods === 'disabled' || !this.#services.hasNamespace(namespace)) return undefined;
    if (address === undefined) return { set: EMPTY_SET };
    const isThere = pods === 'insecure' || this.#reverse.isInstance(address, namespace);
    return isThere ? { set: addressSet([address], ttl) } : undefined;
  }

  #firstOf(places: readonly ServicePlace[]): Found | undefined {
    for (const { namespace, service, relative } of places) {
      const set = this.#services.records(namespace, service)?.sets.get(relative);
      if (set !== undefined) return { set, owner: serviceKeyOf({ namespace, service }) };
    }
    return undefined;
  }

  /** Whether a short name that does not exist still belongs to this server, as far as it can tell. */
  #isOurs(meaning: NameMeaning, labels: readonly string[]): boolean {
    if (meaning.kind !== 'short') return false;
    const { isAlone } = this.#naming;
    const isKnown = meaning.places.some(
      ({ namespace, service, relative }) =>
        this.#services.has(namespace, service) && (isAlone || /^(_.*)?$/.test(relative)),
    );
    return meaning.isOwn || isKnown || (isAlone && this.#services.hasNamespace(labels.at(-1)!));
  }

  /** The alias and, within the zone, its target. Never cached: it depends on more than one service. */
  #followed(key: string, type: number, alias: string): PreparedAnswer {
    const { ttl, zone } = this.#naming;
    const answers: DnsRecord[] = [{ type: TYPE.CNAME, ttl, target: alias }];
    if (type === TYPE.CNAME || type === TYPE.ANY) return prepareAnswer(key, { answers });
    let target = plain(alias);
    // Stops at a name that was seen before, so a loop of aliases ends.
    const seen = new Set([key]);
    while (seen.size <= MAX_ALIASES) {
      const targetKey = keyOf(target);
      if (targetKey === undefined || seen.has(targetKey)) break;
      seen.add(targetKey);
      if (!`.${target}`.endsWith(`.${zone}`)) {
        return { ...prepareAnswer(key, { answers }), onward: { target: targetKey, answers } };
      }
      const labels = labelsOf(targetKey);
      const set = this.#find(parseName(labels, this.#naming), labels)?.set;
      if (set?.alias === undefined) return this.#ended(key, answers, { name: target, set, type });
      answers.push({ name: target, type: TYPE.CNAME, ttl, target: set.alias });
      target = plain(set.alias);
    }
    return prepareAnswer(key, { answers });
  }

  /** The aliases and the records of the last target, or a negative answer. */
  #ended(
    key: string,
    aliases: readonly DnsRecord[],
    { name, set, type }: { name: string; set: RecordSet | undefined; type: number },
  ): PreparedAnswer {
    const last = set?.byType.get(type);
    const named = (last?.answers ?? []).map((record) => ({ ...record, name }));
    const rcode = set === undefined ? RCODE.NXDOMAIN : RCODE.NOERROR;
    const authorities = last === undefined ? [this.#authority.soa(this.#naming.zone)] : [];
    return prepareAnswer(key, { rcode, answers: [...aliases, ...named], authorities });
  }

  #keep(key: string, entry: NameEntry, owner: string): void {
    this.#entries.set(key, entry);
    const keys = this.#keysOf.get(owner);
    if (keys === undefined) this.#keysOf.set(owner, [key]);
    else keys.push(key);
  }

  #changed(namespace: string, service: string): void {
    const owner = serviceKeyOf({ namespace, service });
    for (const key of this.#keysOf.get(owner) ?? []) this.#entries.delete(key);
    this.#keysOf.delete(owner);
    this.#reverse.changed(namespace, service);
    this.#authority.changed();
  }

  #forgetAll(): void {
    this.#entries.clear();
    this.#keysOf.clear();
  }
}

function plain(name: string): string {
  return name.toLowerCase().replace(/\.$/, '');
}
