/** The form in which hosts of rules are compared. Undefined: any host. */
export function hostKey(host: string | undefined): string | undefined {
  return host?.toLowerCase().replace(/\.$/, '');
}

/** The keys of the rules that may be for all hosts of this key: its own first, `undefined` (any host) last. */
export function widerKeys(key: string | undefined): (string | undefined)[] {
  const keys: (string | undefined)[] = [key];
  if (key === undefined) return keys;
  let rest = key.startsWith('*.') ? key.slice(2) : key;
  for (let dot = rest.indexOf('.'); dot !== -1; dot = rest.indexOf('.')) {
    rest = rest.slice(dot + 1);
    keys.push(`*.${rest}`);
  }
  keys.push(undefined);
  return keys;
}
