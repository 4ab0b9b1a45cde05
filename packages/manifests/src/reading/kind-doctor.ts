import { type Kind, KINDS } from './kinds.ts';
import type { ManifestFault } from './fault.ts';
import { foreignKind } from './foreign-kinds.ts';
import { nearestWord } from '@rollcall/contract';
import type { Locate } from './service-doctor.ts';

/** What is wrong with the kind or apiVersion of a manifest; undefined when they are known. */
export function unknownKind(value: unknown, locate: Locate): ManifestFault | undefined {
  const given = (value ?? {}) as Readonly<Record<string, unknown>>;
  const misspelled = missingField(given, locate);
  if (misspelled !== undefined) return misspelled;
  const { apiVersion, kind } = given;
  const title = typeof kind === 'string' ? kind : JSON.stringify(kind);
  const right = Object.hasOwn(KINDS, title) ? KINDS[title as Kind] : undefined;
  if (right !== undefined && right.apiVersion === apiVersion) return undefined;
  const message = `no matches for kind "${title}" in version ${JSON.stringify(apiVersion ?? '')}`;
  if (right !== undefined) {
    const fix = `apiVersion: ${right.apiVersion}`;
    return { ...locate(['apiVersion']), field: 'apiVersion', message, fix };
  }
  const meant = nearestWord(title, Object.keys(KINDS));
  const fix =
    foreignKind(title) ??
    (meant === undefined
      ? `declared here are: ${Object.keys(KINDS).join(', ')}`
      : `kind: ${meant}`);
  return { ...locate(['kind']), field: 'kind', message, fix };
}

/** The fault of a manifest whose kind or apiVersion is missing or misspelled. */
function missingField(
  given: Readonly<Record<string, unknown>>,
  locate: Locate,
): ManifestFault | undefined {
  for (const field of ['kind', 'apiVersion']) {
    if (given[field] !== undefined && given[field] !== null) continue;
    const written = Object.keys(given).find((key) => nearestWord(key, [field]) !== undefined);
    if (written !== undefined && written !== field) {
      const fix = `write ${field} instead of ${written}`;
      return { ...locate([written]), field, message: 'Required value', fix };
    }
    if (field === 'apiVersion') continue;
    const fix = 'say what it is, such as kind: Service';
    return { ...locate([]), field, message: 'Required value', fix };
  }
  return undefined;
}
