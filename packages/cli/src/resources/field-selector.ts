import type { ManifestObject } from '@rollcall/client-sdk';
import { CliError, usageError } from '../base/cli-error.ts';
import { valuesAt } from '../output/jsonpath.ts';
import type { Resource } from './resource.ts';

const METADATA = ['metadata.name', 'metadata.namespace'];

/** Further fields that objects can be selected by: those of the API server of Kubernetes. */
const FIELDS: Readonly<Record<string, readonly string[]>> = {
  Service: ['spec.clusterIP', 'spec.type'],
  Secret: ['type'],
  Namespace: ['status.phase'],
  Event: [
    'involvedObject.kind',
    'involvedObject.name',
    'involvedObject.namespace',
    'reason',
    'source',
    'type',
  ],
};

/** Instances are no kind of Kubernetes: all their fields select. */
const INSTANCE_FIELD = /^(spec|status)\./;

function isSelectable({ kind }: Resource, field: string): boolean {
  if (METADATA.includes(field) || FIELDS[kind]?.includes(field) === true) return true;
  return kind === 'Instance' && INSTANCE_FIELD.test(field);
}

/** As text; a field that an object does not have is empty. */
function fieldOf(object: ManifestObject, field: string): string {
  if (field === 'source') return fieldOf(object, 'source.component');
  const [value = ''] = valuesAt(field, object);
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/**
 * Whether an object has the wanted fields: `metadata.name=x,status.phase!=y`. Throws for a field that objects of the
 * type cannot be selected by, in the words of the API server.
 * @param labels the label selector beside it, which the error repeats
 */
export function fieldFilter(
  resource: Resource,
  text: string | undefined,
  labels: string | undefined,
): (object: ManifestObject) => boolean {
  const terms = (text ?? '').split(',').filter((term) => term !== '');
  const tests = terms.map((term) => {
    const [, field, operator, value = ''] = /^([^=!]+)(==?|!=)(.*)$/.exec(term) ?? [];
    if (field === undefined) {
      throw usageError(`--field-selector: expected FIELD=VALUE or FIELD!=VALUE, got "${term}"`);
    }
    if (!isSelectable(resource, field)) {
      const { apiVersion, names } = resource;
      const group = apiVersion.includes('/') ? apiVersion : `/${apiVersion}`;
      const what = `Unable to find "${group}, Resource=${names[0]}" that match label selector "${labels ?? ''}", field selector "${text}"`;
      throw new CliError(
        `Error from server (BadRequest): ${what}: field label not supported: ${field}`,
      );
    }
    return (object: ManifestObject) => (fieldOf(object, field) === value) === (operator !== '!=');
  });
  return (object) => tests.every((holds) => holds(object));
}
