import { hostKey } from '../matching/host-pattern.ts';
import { readCertificate } from '../tls/files/certificate.ts';
import { readNow } from '../tls/files/file-contents.ts';
import { FileFault } from '../tls/files/file-fault.ts';
import type { ConfigProblem } from './problem.ts';
import type { Config, ListenerConfig, ListenerTlsConfig } from './schema.ts';

/** Certificates and hosts of rules that do not fit together. `nowMs`: Unix time. */
export function certificateWarnings({ listeners, ingress }: Config, nowMs: number) {
  return listeners.flatMap((listener, at): ConfigProblem[] => {
    const path = ['listeners', at];
    if (listener.protocol !== 'https' || listener.tls === undefined) return [];
    const names = namesOf(listener.tls, nowMs);
    if (names === undefined) return [];
    const isComplete = ingress?.listener.includes(listener.name) !== true;
    return [...(isComplete ? idle(listener, names, path) : []), ...bare(listener, names, path)];
  });
}

type Path = readonly PropertyKey[];
/** Of each certificate, in their order. */
type Names = readonly (readonly string[])[];

/** Undefined: a file has changed since it was checked. */
function namesOf({ certificates }: ListenerTlsConfig, nowMs: number): Names | undefined {
  try {
    return certificates.map((files) => readCertificate(files, nowMs, readNow).names);
  } catch (error) {
    if (error instanceof FileFault) return undefined;
    throw error;
  }
}

/** Certificates for no host of a rule. A rule without a host is for all. */
function idle({ rules }: ListenerConfig, all: Names, path: Path): ConfigProblem[] {
  if (rules.length === 0 || rules.some(({ host }) => host === undefined)) return [];
  return all.flatMap((names, at): ConfigProblem[] => {
    if (rules.some(({ host }) => names.some((name) => isFor(name, hostKey(host)!)))) return [];
    const shown = names.length === 0 ? 'it has no names' : `it is for ${names.join(', ')}`;
    const message = `covers no host of a rule of this listener: ${shown}`;
    return [{ path: [...path, 'tls', 'certificates', at, 'cert'], at: 'value', message }];
  });
}

/** Hosts of rules for which there is no certificate, each once. */
function bare({ rules }: ListenerConfig, all: Names, path: Path): ConfigProblem[] {
  const exact = new Set(all.flat());
  const seen = new Set<string>();
  return rules.flatMap(({ host }, at): ConfigProblem[] => {
    const key = hostKey(host);
    if (key === undefined || seen.has(key)) return [];
    seen.add(key);
    if (exact.has(key) || all.some((names) => names.some((name) => isFor(name, key)))) return [];
    const message = `no certificate of this listener covers ${host}`;
    return [{ path: [...path, 'rules', at, 'host'], at: 'value', message }];
  });
}

/** Whether a certificate's name is for the host of a rule; of one with `*.`, for a host that it stands for. */
function isFor(name: string, host: string): boolean {
  if (name === host) return true;
  if (host.startsWith('*.')) return name.endsWith(host.slice(1));
  const dot = host.indexOf('.');
  return name.startsWith('*.') && dot > 0 && host.slice(dot) === name.slice(1);
}
