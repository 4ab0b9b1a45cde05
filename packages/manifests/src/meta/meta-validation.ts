import { type FieldError, invalid, invalidEach, required, tooLong } from './field-error.ts';
import { validateFinalizers } from './finalizers.ts';
import { stemToCheck } from './generated-name.ts';
import { checkLabel1123, checkLabelValue, checkQualifiedName } from './names.ts';
import type { ObjectMeta } from './object-meta.ts';
import { validateOwners } from './owners.ts';

const MAX_ANNOTATION_BYTES = 262_144;

/** Faults of an object's metadata; `checkName` has the rules of its kind for names. */
export function validateMeta(
  meta: ObjectMeta,
  checkName: (name: string) => string[],
): FieldError[] {
  const { namespace, generation, labels = {}, annotations = {} } = meta;
  const faults = nameFaults(meta, checkName);
  if (generation !== undefined && generation < 0) {
    const detail = 'must be greater than or equal to 0';
    faults.push(invalid('metadata.generation', generation, detail));
  }
  if (namespace !== undefined && namespace !== '') {
    faults.push(
      ...checkLabel1123(namespace).map((fault) => invalid('metadata.namespace', namespace, fault)),
    );
  }
  for (const [key, value] of Object.entries(labels)) {
    faults.push(...checkQualifiedName(key).map((fault) => invalid('metadata.labels', key, fault)));
    faults.push(...checkLabelValue(value).map((fault) => invalid('metadata.labels', value, fault)));
  }
  return [
    ...faults,
    ...validateAnnotations(annotations),
    ...validateOwners(meta.ownerReferences ?? []),
    ...validateFinalizers(meta.finalizers ?? []),
  ];
}

function nameFaults(
  { name = '', generateName = '' }: ObjectMeta,
  checkName: (name: string) => string[],
): FieldError[] {
  if (name === '' && generateName === '') {
    return [required('metadata.name', 'name or generateName is required')];
  }
  const isGood = (stem: string) => checkName(stemToCheck(stem));
  return [
    ...(generateName === '' ? [] : invalidEach('metadata.generateName', generateName, isGood)),
    ...(name === '' ? [] : invalidEach('metadata.name', name, checkName)),
  ];
}

/** Faults of annotations only. */
export function validateAnnotations(annotations: Readonly<Record<string, string>>): FieldError[] {
  const faults: FieldError[] = [];
  let bytes = 0;
  for (const [key, value] of Object.entries(annotations)) {
    faults.push(
      ...checkQualifiedName(key.toLowerCase()).map((fault) =>
        invalid('metadata.annotations', key, fault),
      ),
    );
    bytes += Buffer.byteLength(key) + Buffer.byteLength(value);
  }
  if (bytes > MAX_ANNOTATION_BYTES)
    faults.push(tooLong('metadata.annotations', MAX_ANNOTATION_BYTES));
  return faults;
}
