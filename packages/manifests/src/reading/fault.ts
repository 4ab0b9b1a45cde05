/** One fault of a file of manifests: where, what, and how to fix it. */
export interface ManifestFault {
  /** 1-based. */
  readonly line: number;
  /** 1-based. */
  readonly column: number;
  /** Path of the field, e.g. `spec.ports[0].nodePort`; empty when it is about the text itself. */
  readonly field: string;
  readonly message: string;
  /** What to write instead; empty when there is no better advice than the message. */
  readonly fix: string;
}

/** A path in the notation of Kubernetes: `spec.ports[0].port`. */
export function fieldOf(path: readonly PropertyKey[]): string {
  let field = '';
  for (const step of path) {
    if (typeof step === 'number') field += `[${step}]`;
    else field += field === '' ? String(step) : `.${String(step)}`;
  }
  return field;
}

/** The path of a field in the notation of Kubernetes. */
export function pathOf(field: string): (string | number)[] {
  return [...field.matchAll(/\[(\d+)\]|[^.[\]]+/g)].map(([text, index]) =>
    index === undefined ? text : Number(index),
  );
}
