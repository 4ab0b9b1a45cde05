import { AGE, manifestResource, NAME } from './manifest-resource.ts';
import { NONE } from './resource.ts';

/** The registry shows no command what they hold. */
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
