import { type FieldError, invalid, required, tooLong } from './field-error.ts';
import { checkLabel1123, checkLabelValue, checkQualifiedName } from './names.ts';
import type { ObjectMeta } from './object-meta.ts';

const MAX_ANNOTATION_BYTES = 262_144;

/** Faults of an object's metadata; `checkName` has the rules of its kind for names. */
export function validateMeta(
  { name, generateName, namespace, labels = {}, annotations = {} }: ObjectMeta,
  checkName: (name: string) => string[],
): FieldError[] {
  const faults: FieldError[] = [];
  if (name === undefined || name === '') {
    const detail = 'name or generateName is required';
    if (generateName === undefined || generateName === '')
      faults.push(required('metadata.name', detail));
  } else faults.push(...checkName(name).map((fault) => invalid('metadata.name', name, fault)));
  if (namespace !== undefined && namespace !== '') {
    faults.push(
      ...checkLabel1123(namespace).map((fault) => invalid('metadata.namespace', namespace, fault)),
    );
  }
  for (const [key, value] of Object.entries(labels)) {
    faults.push(...checkQualifiedName(key).map((fault) => invalid('metadata.labels', key, fault)));
    faults.push(...checkLabelValue(value).map((fault) => invalid('metadata.labels', value, fault)));
  }
  return [...faults, ...validateAnnotations(annotations)];
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
