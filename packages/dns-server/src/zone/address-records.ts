import { addressBytes, addressType } from '../wire/address.ts';
import { TYPE } from '../wire/codes.ts';
import type { AddressRecord } from '../wire/record.ts';
import { type Answer, type RecordSet, EMPTY_SET, aliasSet, recordSet } from './record-set.ts';

/** A and AAAA records of addresses, without duplicates and host names. `name` undefined = the requested name. */
export function addressRecords(
  addresses: Iterable<string>,
  ttl: number,
  name?: string,
): AddressRecord[] {
  const owner = name === undefined ? {} : { name };
  // An IPv6 address may be written in several ways, an IPv4 address in one.
  const long = new Set<string>();
  const records: AddressRecord[] = [];
  for (const text of new Set(addresses)) {
    const address = addressBytes(text);
    if (address === undefined) continue;
    if (address.length > 4) {
      const key = address.join();
      if (long.has(key)) continue;
      long.add(key);
    }
    records.push({ ...owner, ttl, type: addressType(address), address });
  }
  return records;
}

/** One answer per address family. */
export function addressAnswers(records: readonly AddressRecord[]): Answer[] {
  return [TYPE.A, TYPE.AAAA].map((type) => ({
    answers: records.filter((record) => record.type === type),
  }));
}

/**
 * The records of a name with these addresses. Host names cannot be A records, so they are left out; if there is nothing
 * else, the name becomes an alias of the first one, which is better than no answer.
 */
export function addressSet(addresses: readonly string[], ttl: number): RecordSet {
  const records = addressRecords(addresses, ttl);
  if (records.length > 0) return recordSet(...addressAnswers(records));
  const [host] = addresses.toSorted();
  return host === undefined ? EMPTY_SET : aliasSet(host);
}
