interface Declared {
  readonly namespace: string;
  readonly name: string;
  /** RFC 3339. */
  readonly creationTimestamp: string;
}

/** The older one first, which is the one that counts; of the same second, by namespace and name. */
export function byAge(a: Declared, b: Declared): number {
  return keyOf(a) < keyOf(b) ? -1 : 1;
}

const keyOf = ({ namespace, name, creationTimestamp }: Declared) =>
  `${creationTimestamp} ${namespace}/${name}`;
