import { type FieldError, invalid } from './field-error.ts';
import type { OwnerReference } from './object-meta.ts';

const FIELD = 'metadata.ownerReferences';

const EMPTY = 'must not be empty';

function referenceFaults(reference: OwnerReference): FieldError[] {
  const { apiVersion = '', kind = '', name = '', uid = '' } = reference;
  const faults: FieldError[] = [];
  // After the group of `apps/v1`; a text without a slash is all version.
  const version = apiVersion.slice(apiVersion.indexOf('/') + 1);
  if (version === '')
    faults.push(invalid(`${FIELD}.apiVersion`, apiVersion, 'version must not be empty'));
  if (kind === '') faults.push(invalid(`${FIELD}.kind`, kind, EMPTY));
  if (name === '') faults.push(invalid(`${FIELD}.name`, name, EMPTY));
  if (uid === '') faults.push(invalid(`${FIELD}.uid`, uid, EMPTY));
  if (apiVersion === 'v1' && kind === 'Event') {
    const detail = '/v1, Kind=Event is disallowed from being an owner';
    faults.push(invalid(FIELD, reference, detail));
  }
  return faults;
}

/** Faults of the references to the owners of an object; one at most may be its controller. */
export function validateOwners(references: readonly OwnerReference[]): FieldError[] {
  const controllers = references
    .filter(({ controller }) => controller === true)
    .map(({ kind = '', name = '' }) => `${kind}/${name}`);
  const [first, ...others] = controllers;
  const tooMany = others.map((other) => {
    const detail = `Only one reference can have Controller set to true. Found "true" in references for ${first} and ${other}`;
    return invalid(FIELD, references, detail);
  });
  return [...references.flatMap(referenceFaults), ...tooMany];
}
