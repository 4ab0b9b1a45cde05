import type { DeclaredService } from '@rollcall/client-sdk';
import { urlHostOf } from '@rollcall/contract';

/** A service in the registry's list. */
interface Listed {
  readonly service: string;
  readonly declared: DeclaredService | null;
}

/** The environment variables that Kubernetes sets for one service: `{SVC}_SERVICE_HOST` and those of Docker links. */
function variablesOf({ service, declared }: Listed): ReadonlyMap<string, string> {
  const [host] = declared?.clusterIPs ?? [];
  const [first] = declared?.ports ?? [];
  const variables = new Map<string, string>();
  // As in Kubernetes: a service without its own address gets no variables.
  if (host === undefined || declared === null || first === undefined) return variables;
  const prefix = nameOf(service);
  variables.set(`${prefix}_SERVICE_HOST`, host);
  variables.set(`${prefix}_SERVICE_PORT`, String(first.port));
  for (const { name, port } of declared.ports) {
    if (name !== '') variables.set(`${prefix}_SERVICE_PORT_${nameOf(name)}`, String(port));
  }
  for (const [i, { protocol, port }] of declared.ports.entries()) {
    const scheme = protocol.toLowerCase();
    const url = `${scheme}://${urlHostOf(host)}:${port}`;
    const link = `${prefix}_PORT_${port}_${protocol}`;
    if (i === 0) variables.set(`${prefix}_PORT`, url);
    variables.set(link, url);
    variables.set(`${link}_PROTO`, scheme);
    variables.set(`${link}_PORT`, String(port));
    variables.set(`${link}_ADDR`, host);
  }
  return variables;
}

/** The variables of all services of a namespace, ordered by service name. */
export function environmentOf(services: readonly Listed[]): Record<string, string> {
  const sorted = services.toSorted((a, b) => (a.service < b.service ? -1 : 1));
  return Object.fromEntries(sorted.flatMap((one) => [...variablesOf(one)]));
}

function nameOf(text: string): string {
  return text.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_');
}
