import { ageOf } from '../output/age.ts';
import type { Column, Resource } from './resource.ts';

export const NAME: Column = { title: 'NAME', cell: ({ metadata }) => metadata.name };
export const AGE: Column = {
  title: 'AGE',
  cell: ({ metadata }, nowMs) => ageOf(metadata.creationTimestamp, nowMs),
};

/** A resource that the registry stores, or derives, as manifests of a kind. */
export function manifestResource(given: Omit<Resource, 'list' | 'get'>): Resource {
  const [kind = ''] = given.names;
  return {
    ...given,
    async list({ rollcall }, namespace, selector) {
      const request = { params: { ns: namespace, kind }, query: { selector } };
      return (await rollcall.call('listManifests', request)).items;
    },
    get: ({ rollcall }, namespace, name) =>
      rollcall.call('readManifest', { params: { ns: namespace, kind, name } }),
  };
}
