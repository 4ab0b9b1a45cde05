import { isIP } from 'node:net';
import type { ZoneOptions } from './zone-options.ts';

/** A name below a service: the service, and the labels before the service's name. */
export interface ServicePlace {
  readonly namespace: string;
  readonly service: string;
  /** '' = the service's own name; else `web-1`, `_http._tcp`, `_tcp`. */
  readonly relative: string;
}

export type NameMeaning =
  | { readonly kind: 'apex' | 'version' | 'server' }
  /** Exists only because there are names below it. */
  | { readonly kind: 'branch' }
  | { readonly kind: 'namespace'; readonly namespace: string }
  /** Whether such names exist depends on the options. */
  | { readonly kind: 'pod'; readonly namespace: string; readonly address: string | undefined }
  /** Services to try, in this order. */
  | { readonly kind: 'service'; readonly places: readonly ServicePlace[] }
  /** Inside the zone, but no name. */
  | { readonly kind: 'nothing' }
  | { readonly kind: 'reverse' }
  /** Outside the zone: may be a short name, or a name of another zone. */
  | { readonly kind: 'short'; readonly places: readonly ServicePlace[]; readonly isOwn: boolean }
  | { readonly kind: 'outside' };

const OUTSIDE: NameMeaning = { kind: 'outside' };
const NOTHING: NameMeaning = { kind: 'nothing' };
/** Names of the zone that have no records. */
const BRANCHES: ReadonlySet<string> = new Set(['svc', 'dns', 'pod']);

/** What a name would mean, whether it exists or not. Labels are lower-case. */
export function parseName(labels: readonly string[], naming: ZoneOptions): NameMeaning {
  const zone = naming.zone.split('.');
  const above = labels.length - zone.length;
  if (above >= 0 && zone.every((label, i) => labels[above + i] === label)) {
    return withinZone(labels.slice(0, above));
  }
  if (labels.at(-1) === 'arpa') return { kind: 'reverse' };
  return naming.hasShortNames && labels.length > 0 ? shortName(labels, naming) : OUTSIDE;
}

function withinZone(labels: readonly string[]): NameMeaning {
  const text = labels.join('.');
  if (text === '') return { kind: 'apex' };
  if (text === 'dns-version') return { kind: 'version' };
  if (text === 'ns.dns') return { kind: 'server' };
  if (BRANCHES.has(text)) return { kind: 'branch' };
  if (labels.at(-1) === 'pod') return podName(labels.slice(0, -1));
  if (labels.at(-1) !== 'svc') return NOTHING;
  const [namespace, service, ...before] = labels.slice(0, -1).toReversed();
  if (service === undefined) return { kind: 'namespace', namespace: namespace! };
  const relative = before.toReversed().join('.');
  return { kind: 'service', places: [{ namespace: namespace!, service, relative }] };
}

/** `<ns>` or `10-0-0-1.<ns>`. */
function podName(labels: readonly string[]): NameMeaning {
  const [namespace, dashed, ...more] = labels.toReversed();
  if (more.length > 0) return NOTHING;
  if (dashed === undefined) return { kind: 'pod', namespace: namespace!, address: undefined };
  const isV4 = /^\d+(-\d+){3}$/.test(dashed);
  const address = dashed.replaceAll('-', isV4 ? '.' : ':');
  return isIP(address) === 0 ? NOTHING : { kind: 'pod', namespace: namespace!, address };
}

/** `web-1.nginx` may be the service web-1 of the namespace nginx, or an instance: the service takes precedence. */
function shortName(labels: readonly string[], { namespace }: ZoneOptions): NameMeaning {
  const isSpelledOut = labels.length > 2 && labels.at(-1) === 'svc';
  const isOwn = labels.length === 1 || labels.at(-1) === 'svc';
  const plain = isSpelledOut ? labels.slice(0, -1) : labels;
  const first = plain.findIndex((label) => !label.startsWith('_'));
  const ports = first === -1 ? plain : plain.slice(0, first);
  const rest = first === -1 ? [] : plain.slice(first);
  const place = (before: readonly string[], service: string, ns: string): ServicePlace => ({
    namespace: ns,
    service,
    relative: [...ports, ...before].join('.'),
  });
  const [a = '', b = '', c = ''] = rest;
  let places: ServicePlace[] = [];
  if (rest.length === 1 && !isSpelledOut) places = [place([], a, namespace)];
  if (rest.length === 2) places = [place([], a, b)];
  if (rest.length === 2 && !isSpelledOut) places.push(place([a], b, namespace));
  if (rest.length === 3) places = [place([a], b, c)];
  return places.length === 0 && !isOwn ? OUTSIDE : { kind: 'short', places, isOwn };
}
