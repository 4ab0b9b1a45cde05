import {
  CLASS_ANNOTATION,
  DEFAULT_CLASS_ANNOTATION,
  type IngressClass,
  type Manifest,
  type ObjectMeta,
} from '@rollcall/manifests';
import type { Picture } from '../../../picture/picture.ts';

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

  /** A new Ingress without a class gets the default class: of several the newest, then the one whose name is first. */
  admit(manifest: Manifest): Manifest {
    if (manifest.kind !== 'Ingress' || hasClass(manifest)) return manifest;
    const defaults = Array.from(this.#byName.values(), ({ metadata }) => metadata).filter(
      ({ annotations }) => annotations?.[DEFAULT_CLASS_ANNOTATION] === 'true',
    );
    const [chosen] = defaults.toSorted((one, other) => (isBefore(one, other) ? -1 : 1));
    if (chosen === undefined) return manifest;
    return { ...manifest, spec: { ...manifest.spec, ingressClassName: chosen.name } };
  }
}

function isBefore(one: ObjectMeta, other: ObjectMeta): boolean {
  const [made, otherMade] = [one.creationTimestamp ?? '', other.creationTimestamp ?? ''];
  if (made !== otherMade) return made > otherMade;
  return (one.name ?? '') < (other.name ?? '');
}

function hasClass({ spec, metadata }: Extract<Manifest, { kind: 'Ingress' }>): boolean {
  return (
    spec?.ingressClassName !== undefined ||
    Object.hasOwn(metadata.annotations ?? {}, CLASS_ANNOTATION)
  );
}
