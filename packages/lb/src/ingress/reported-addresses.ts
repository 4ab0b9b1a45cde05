import { isIP } from 'node:net';
import type { SentAddress } from './ingress-reports.ts';
import type { IngressConfig } from '../config/ingress-schema.ts';

const STANDARD_PORTS: Readonly<Record<string, number>> = { 'http:': 80, 'https:': 443 };

/**
 * The addresses at which callers reach the listeners that route by Ingresses, with their ports. `listening`: by name of
 * the listener, for example `http://127.0.0.1:8080`.
 */
export function addressesOf(
  { listener, addresses }: IngressConfig,
  listening: Readonly<Record<string, string>>,
): SentAddress[] {
  const ports = new Map<string, Set<number>>();
  for (const name of listener) {
    const url = listening[name];
    if (url === undefined) continue;
    const { hostname, port, protocol } = new URL(url);
    const own = port === '' ? STANDARD_PORTS[protocol]! : Number(port);
    for (const place of addresses ?? [hostname.replace(/^\[|\]$/g, '')])
      ports.set(place, (ports.get(place) ?? new Set()).add(own));
  }
  return Array.from(ports, ([place, own]) => ({
    ...placed(place),
    ports: [...own].toSorted((a, b) => a - b).map((port) => ({ port, protocol: 'TCP' as const })),
  }));
}

/** Nothing for all addresses of the machine: the registry then takes the one that it sees. */
function placed(place: string): Pick<SentAddress, 'ip' | 'hostname'> {
  if (place === '0.0.0.0' || place === '::') return {};
  return isIP(place) === 0 ? { hostname: place } : { ip: place };
}
