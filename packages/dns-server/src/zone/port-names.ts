import type { DnsRecord, ServiceRecord } from '../wire/record.ts';
import { type RecordSet, EMPTY_SET, recordSet } from './record-set.ts';

/** The data for SRV records. */
export interface PortRecords {
  /** Empty when the port has no name: then only the service's own name refers to it. */
  readonly portName: string;
  readonly protocol: string;
  readonly records: readonly ServiceRecord[];
  /** Addresses of the records' targets. */
  readonly additionals: readonly DnsRecord[];
}

/**
 * Keeps one record per target and port: a set has no duplicates (RFC 2181 section 5), and
 * one target must not count twice.
 */
export function dedupe(records: readonly ServiceRecord[]): ServiceRecord[] {
  const byPlace = new Map<string, ServiceRecord>();
  for (const record of records) {
    const place = `${record.port} ${record.target.toLowerCase()}`;
    const known = byPlace.get(place);
    if (known === undefined || known.weight < record.weight) byPlace.set(place, record);
  }
  return [...byPlace.values()];
}

/** The sets of `_port._proto` for each named port, and the empty sets of the `_proto` above them. */
export function portSets(ports: readonly PortRecords[]): [string, RecordSet][] {
  const named = ports.filter(({ portName }) => portName !== '');
  return named.flatMap(({ portName, protocol, records, additionals }) => {
    const transport = `_${protocol.toLowerCase()}`;
    return [
      [`_${portName}.${transport}`, recordSet({ answers: records, additionals })],
      [transport, EMPTY_SET],
    ];
  });
}

/** The set of the service's own name, plus SRV records of all its ports. */
export function withAllPorts(set: RecordSet, ports: readonly PortRecords[]): RecordSet {
  const answers = dedupe(ports.flatMap(({ records }) => records));
  if (set.alias !== undefined || answers.length === 0) return set;
  const additionals = [...new Set(ports.flatMap((port) => port.additionals))];
  return { byType: new Map([...set.byType, ...recordSet({ answers, additionals }).byType]) };
}
