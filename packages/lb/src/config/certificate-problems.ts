import { readAuthorities } from '../tls/files/authorities.ts';
import { readCertificate } from '../tls/files/certificate.ts';
import { readNow } from '../tls/files/file-contents.ts';
import { FileFault } from '../tls/files/file-fault.ts';
import { isMapping, listAt, type Mapping, mappingsAt } from './mapping.ts';
import { type ConfigProblem, valueAt } from './problem.ts';

type Path = readonly PropertyKey[];

/** Certificates that cannot be used: what a start would fail at. `nowMs`: Unix time. */
export function certificateProblems(data: unknown, nowMs: number): ConfigProblem[] {
  const listeners = listAt(data, ['listeners']).flatMap((listener, index) => {
    const path = ['listeners', index, 'tls'];
    const pairs = listAt(listener, ['tls', 'certificates']);
    return [
      ...pairs.flatMap((pair, at) => pairProblems(pair, [...path, 'certificates', at], nowMs)),
      ...authorityProblems(valueAt(listener, ['tls', 'clientCa']), path, 'clientCa'),
    ];
  });
  const groups = mappingsAt(data, ['targetGroups']).flatMap(([name, { tls }]) => {
    const path = ['targetGroups', name, 'tls'];
    if (!isMapping(tls)) return [];
    return [...authorityProblems(tls['ca'], path, 'ca'), ...pairProblems(tls, path, nowMs)];
  });
  return [...listeners, ...groups];
}

function pairProblems({ cert, key, passphraseFile }: Mapping, path: Path, nowMs: number) {
  if (typeof cert !== 'string' || typeof key !== 'string') return [];
  const files = { cert, key, ...(typeof passphraseFile === 'string' ? { passphraseFile } : {}) };
  return problemsIn(path, () => readCertificate(files, nowMs, readNow));
}

function authorityProblems(file: unknown, path: Path, field: string): ConfigProblem[] {
  if (typeof file !== 'string') return [];
  return problemsIn(path, () => readAuthorities({ field, file }, readNow));
}

function problemsIn(path: Path, read: () => unknown): ConfigProblem[] {
  try {
    read();
    return [];
  } catch (error) {
    if (!(error instanceof FileFault)) throw error;
    const { field, file, expected } = error;
    const message = `bad file, got ${JSON.stringify(file)}, expected ${expected}`;
    return [{ path: [...path, field], at: 'value', message }];
  }
}
