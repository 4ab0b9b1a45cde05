import type { Catalog, ServiceSnapshot } from '@rollcall/client-sdk';

/** The environment variables of Kubernetes for one service: `{SVC}_SERVICE_HOST` and those of Docker's links. */
export function variablesOf(snapshot: ServiceSnapshot): ReadonlyMap<string, string> {
  const { service, declared } = snapshot;
  const [host] = declared?.clusterIPs ?? [];
  const [first] = declared?.ports ?? [];
  const variables = new Map<string, string>();
  // As in Kubernetes: a service without address of its own has none.
  if (host === undefined || declared === null || first === undefined) return variables;
  const prefix = nameOf(service);
  variables.set(`${prefix}_SERVICE_HOST`, host);
  variables.set(`${prefix}_SERVICE_PORT`, String(first.port));
  for (const { name, port } of declared.ports) {
    if (name !== '') variables.set(`${prefix}_SERVICE_PORT_${nameOf(name)}`, String(port));
  }
  const shown = host.includes(':') ? `[${host}]` : host;
  for (const [i, { protocol, port }] of declared.ports.entries()) {
    const scheme = protocol.toLowerCase();
    const url = `${scheme}://${shown}:${port}`;
    const link = `${prefix}_PORT_${port}_${protocol}`;
    if (i === 0) variables.set(`${prefix}_PORT`, url);
    variables.set(link, url);
    variables.set(`${link}_PROTO`, scheme);
    variables.set(`${link}_PORT`, String(port));
    variables.set(`${link}_ADDR`, host);
  }
  return variables;
}

/** Those of every service of a namespace, in the order of names. */
export function environmentOf(catalog: Catalog, namespace: string): Record<string, string> {
  const own = [...catalog.services()].filter((snapshot) => snapshot.namespace === namespace);
  const sorted = own.toSorted((a, b) => (a.service < b.service ? -1 : 1));
  return Object.fromEntries(sorted.flatMap((snapshot) => [...variablesOf(snapshot)]));
}

function nameOf(text: string): string {
  return text.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_');
}
