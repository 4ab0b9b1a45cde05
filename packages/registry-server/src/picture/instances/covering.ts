/** Everything that covers a service. */
export function patternsOf(namespace: string, service: string): readonly string[] {
  return [`${namespace}/${service}`, `${namespace}/*`, `*/${service}`, '*/*'];
}
