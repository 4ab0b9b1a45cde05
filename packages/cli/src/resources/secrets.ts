import { AGE, manifestResource, NAME } from './manifest-resource.ts';
import { NONE } from './resource.ts';

/** No command gets their content from the registry. */
export const secrets = manifestResource({
  kind: 'Secret',
  apiVersion: 'v1',
  names: ['secrets', 'secret'],
  prefix: 'secret',
  columns: [
    NAME,
    { title: 'TYPE', cell: (object) => (object['type'] as string | undefined) ?? NONE },
    AGE,
  ],
});
