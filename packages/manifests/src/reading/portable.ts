import { fieldOf, pathOf } from './fault.ts';
import type { ReadFile, ReadManifest } from './read.ts';

/** Maximum number of positions per manifest. A fault in a field beyond them gets the position of an outer field. */
const MAX_PLACES = 5_000;

type Place = readonly [field: string, line: number, column: number];

/** A {@link ReadFile} that can be sent to another thread. */
export interface PortableFile {
  readonly manifests: readonly (Omit<ReadManifest, 'locate'> & {
    readonly places: readonly Place[];
  })[];
  readonly faults: ReadFile['faults'];
}

/** Replaces the `locate` function of each manifest by the positions of its fields. */
export function portableOf({ manifests, faults }: ReadFile): PortableFile {
  return {
    faults,
    manifests: manifests.map(({ locate, ...rest }) => ({
      ...rest,
      places: Array.from(fieldsOf(rest.given), (field): Place => {
        const { line, column } = locate(field);
        return [field, line, column];
      }),
    })),
  };
}

/** The reverse of {@link portableOf}. */
export function fileOf({ manifests, faults }: PortableFile): ReadFile {
  return {
    faults,
    manifests: manifests.map(({ places, ...rest }) => {
      const byField = new Map(places.map(([field, line, column]) => [field, { line, column }]));
      const locate = (field: string) => {
        const path = pathOf(field);
        for (let end = path.length; end > 0; end--) {
          const place = byField.get(fieldOf(path.slice(0, end)));
          if (place !== undefined) return place;
        }
        return byField.get('') ?? { line: rest.line, column: 1 };
      };
      return { ...rest, locate };
    }),
  };
}

/** The paths of all fields of a value, outer ones first. */
function fieldsOf(value: unknown): readonly string[] {
  const found = [''];
  const queue: (readonly [unknown, readonly (string | number)[]])[] = [[value, []]];
  for (const [at, path] of queue) {
    if (typeof at !== 'object' || at === null) continue;
    for (const [key, child] of Object.entries(at)) {
      if (found.length >= MAX_PLACES) return found;
      const own = [...path, Array.isArray(at) ? Number(key) : key];
      found.push(fieldOf(own));
      queue.push([child, own]);
    }
  }
  return found;
}
