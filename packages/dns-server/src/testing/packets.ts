import { type DecodedPacket, decode, encode } from 'dns-packet';

export interface AskOptions {
  readonly id?: number;
  readonly class?: string;
  /** UDP size in the OPT record; no OPT record when absent. */
  readonly edns?: number;
  readonly isRecursionDesired?: boolean;
}

/** A query, encoded by dns-packet. */
export function queryBytes(name: string, type: string, options: AskOptions = {}): Buffer {
  const { id = 4_711, edns, isRecursionDesired = true } = options;
  const opt = { type: 'OPT', name: '.', udpPayloadSize: edns ?? 0, flags: 0, options: [] };
  return encode({
    type: 'query',
    id,
    flags: isRecursionDesired ? 0x100 : 0,
    questions: [{ name, type, class: options.class ?? 'IN' } as never],
    additionals: edns === undefined ? [] : [opt as never],
  });
}

/** A message, decoded by dns-packet. */
export function decoded(message: Buffer): DecodedPacket & { readonly rcode: string } {
  return decode(message) as DecodedPacket & { readonly rcode: string };
}

/** `A 10.0.0.1`, `SRV 0 100 80 web.default.svc.cluster.local`: one line per record, without OPT. */
export function lines(records: readonly unknown[] | undefined): string[] {
  return (records ?? [])
    .map((record) => record as { type: string; name: string; data: unknown })
    .filter(({ type }) => type !== 'OPT')
    .map(({ type, data }) => `${type} ${dataText(type, data)}`);
}

function dataText(type: string, data: unknown): string {
  if (type === 'SRV') {
    const { priority, weight, port, target } = data as Record<string, string | number>;
    return `${priority} ${weight} ${port} ${target}`;
  }
  if (type === 'SOA') return (data as { mname: string }).mname;
  if (type === 'TXT') return Buffer.concat(data as Buffer[]).toString();
  if (type === 'HINFO') return (data as { cpu: string }).cpu;
  return String(data);
}
