/** All scope patterns that cover a service. */
export function patternsOf(namespace: string, service: string): readonly string[] {
  return [`${namespace}/${service}`, `${namespace}/*`, `*/${service}`, '*/*'];
}
