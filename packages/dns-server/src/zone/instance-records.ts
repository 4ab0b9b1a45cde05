import { type Endpoint, hostnameOf } from '@rollcall/client-sdk';
import { addressBytes } from '../wire/address.ts';
import { TYPE } from '../wire/codes.ts';
import type { AddressRecord } from '../wire/record.ts';
import { addressRecords, addressSet } from './address-records.ts';
import type { NamedRecords } from './named-records.ts';
import { type PortRecords, portSets, withAllPorts, dedupe } from './port-names.ts';
import type { RecordSet } from './record-set.ts';
import { srvWeights } from './srv-weights.ts';

/**
 * Names of a headless or implicit service: they resolve to its instances. None of them exists while no instance is
 * ready, as the Kubernetes DNS specification requires. A service without ports has no SRV records.
 */
export function instanceRecords(
  endpoints: readonly Endpoint[],
  { name, ttl, hasPorts }: { name: string; ttl: number; hasPorts: boolean },
): NamedRecords {
  const callable = endpoints.filter(({ tier }) => tier !== null);
  if (callable.length === 0) return { sets: new Map(), pointers: [] };
  const hosts = hostsOf(callable);
  const sets = new Map([...hosts].map(([host, addresses]) => [host, addressSet(addresses, ttl)]));
  const ports = hasPorts ? portsOf(eligible(callable), { name, ttl, hosts }) : [];
  for (const [relative, set] of portSets(ports)) sets.set(relative, set);
  const own = addressSet(takingCalls(eligible(callable)), ttl);
  sets.set('', withAllPorts(own, ports));
  const pointers = pointersOf(callable, name);
  addDashed(sets, callable, ttl);
  return { sets, pointers };
}

/** Names of the instances behind a cluster IP. The service's own name is handled elsewhere. */
export function backendRecords(
  endpoints: readonly Endpoint[],
  name: string,
  ttl: number,
): NamedRecords {
  const callable = endpoints.filter(({ tier }) => tier !== null);
  const hosts = hostsOf(callable);
  const sets = new Map([...hosts].map(([host, addresses]) => [host, addressSet(addresses, ttl)]));
  addDashed(sets, callable, ttl);
  return { sets, pointers: pointersOf(callable, name) };
}

function pointersOf(callable: readonly Endpoint[], name: string): NamedRecords['pointers'] {
  return callable.map(({ instance, address }) => ({
    address,
    name: `${hostnameOf(instance)}.${name}`,
  }));
}

/** Tier 0, or tier 1 when there is no tier 0. */
function eligible(callable: readonly Endpoint[]): readonly Endpoint[] {
  const first = callable.filter(({ tier }) => tier === 0);
  return first.length > 0 ? first : callable;
}

/**
 * Addresses for plain lookups, which cannot express weights: weight 0 is left out while another endpoint has weight.
 */
function takingCalls(endpoints: readonly Endpoint[]): string[] {
  const weighty = endpoints.filter(({ weight }) => weight > 0);
  return (weighty.length > 0 ? weighty : endpoints).map(({ address }) => address);
}

/** Addresses by host name: an instance with several ports lists its address once. */
function hostsOf(callable: readonly Endpoint[]): Map<string, string[]> {
  const hosts = new Map<string, string[]>();
  for (const { instance, address } of callable) {
    const host = hostnameOf(instance);
    const known = hosts.get(host);
    if (known === undefined) hosts.set(host, [address]);
    else if (!known.includes(address)) known.push(address);
  }
  return hosts;
}

/** Adds `10-0-0-1`, the name that Kubernetes gives to an endpoint without a host name, unless an instance is called so. */
function addDashed(sets: Map<string, RecordSet>, callable: readonly Endpoint[], ttl: number): void {
  for (const { address } of callable) {
    if (addressBytes(address) === undefined) continue;
    const dashed = address.toLowerCase().replaceAll(/[.:]/g, '-');
    // A label cannot end in a dash: `fd00::` is `fd00--0`.
    const alias = dashed.endsWith('-') ? `${dashed}0` : dashed;
    if (!sets.has(alias)) sets.set(alias, addressSet([address], ttl));
  }
}

interface ZoneOptions {
  readonly name: string;
  readonly ttl: number;
  readonly hosts: ReadonlyMap<string, readonly string[]>;
}

/** One group of SRV records per named port, ordered by endpoint id, so that the order stays stable across changes. */
function portsOf(endpoints: readonly Endpoint[], naming: ZoneOptions): PortRecords[] {
  const groups = new Map<string, Endpoint[]>();
  for (const endpoint of endpoints) {
    const key = `${endpoint.portName}/${endpoint.protocol}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [endpoint]);
    else group.push(endpoint);
  }
  const addressesOf = createAddressLookup(naming);
  return [...groups.values()].map((group) => {
    const { portName, protocol } = group[0]!;
    const ordered = group.toSorted((a, b) => (a.id < b.id ? -1 : 1));
    const weights = srvWeights(ordered.map(({ weight }) => weight));
    const records = ordered.map(({ instance, address, port }, i) => ({
      type: TYPE.SRV,
      ttl: naming.ttl,
      priority: 0,
      weight: weights[i]!,
      port,
      target: targetOf(instance, address, naming.name),
    }));
    const additionals = new Set(ordered.flatMap(({ instance }) => addressesOf(instance)));
    return { portName, protocol, records: dedupe(records), additionals: [...additionals] };
  });
}

/** If the address is a host name, that name is the target: a target must not be an alias (RFC 2782). */
function targetOf(instance: string, address: string, name: string): string {
  return addressBytes(address) === undefined ? address : `${hostnameOf(instance)}.${name}`;
}

/** The address records of an instance. Returns the same objects each time, so that several ports share them. */
function createAddressLookup({
  name,
  ttl,
  hosts,
}: ZoneOptions): (instance: string) => AddressRecord[] {
  const made = new Map<string, AddressRecord[]>();
  return (instance) => {
    const host = hostnameOf(instance);
    const known = made.get(host);
    if (known !== undefined) return known;
    const records = addressRecords(hosts.get(host) ?? [], ttl, `${host}.${name}`);
    made.set(host, records);
    return records;
  };
}
