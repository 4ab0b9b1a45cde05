import {
  CLASS_ANNOTATION,
  DEFAULT_CLASS_ANNOTATION,
  type FieldError,
  type IngressClass,
  type Manifest,
  resourceOf,
} from '@rollcall/manifests';
import type { Picture } from '../../picture/picture.ts';

/** The classes that a new Ingress may get. */
export class IngressClasses {
  readonly #byName: Map<string, IngressClass>;

  /** Those that are declared. */
  static of({ roll }: Picture): IngressClasses {
    const declared = roll?.declarations.all('IngressClass') ?? [];
    return new IngressClasses(Array.from(declared, ({ manifest }) => manifest));
  }

  constructor(declared: Iterable<IngressClass>) {
    this.#byName = new Map(Array.from(declared, (one) => [one.metadata.name ?? '', one]));
  }

  /** Earlier documents of a text count for later ones. */
  note(manifest: Manifest | undefined): void {
    if (manifest?.kind === 'IngressClass') this.#byName.set(manifest.metadata.name ?? '', manifest);
  }

  /**
   * A new Ingress without a class gets the default class. It is refused when there are several: which one is meant is not
   * for a server to guess.
   */
  admit(manifest: Manifest): { readonly manifest: Manifest; readonly faults: FieldError[] } {
    if (manifest.kind !== 'Ingress' || hasClass(manifest)) return { manifest, faults: [] };
    const defaults = [...this.#byName.values()].filter(
      ({ metadata }) => metadata.annotations?.[DEFAULT_CLASS_ANNOTATION] === 'true',
    );
    const [only] = defaults;
    if (only === undefined) return { manifest, faults: [] };
    if (defaults.length > 1) {
      const what = `${resourceOf('Ingress')} ${JSON.stringify(manifest.metadata.name ?? '')}`;
      const why = `${defaults.length} default IngressClasses were found, only 1 allowed`;
      const message = `${what} is forbidden: Internal error occurred: ${why}`;
      return { manifest, faults: [{ reason: 'FieldValueForbidden', field: '', message }] };
    }
    const spec = { ...manifest.spec, ingressClassName: only.metadata.name };
    return { manifest: { ...manifest, spec }, faults: [] };
  }
}

function hasClass({ spec, metadata }: Extract<Manifest, { kind: 'Ingress' }>): boolean {
  return (
    spec?.ingressClassName !== undefined ||
    Object.hasOwn(metadata.annotations ?? {}, CLASS_ANNOTATION)
  );
}
