import { type Endpoint, STATE_TABLE } from '@rollcall/contract';
import type { Endpoints, EndpointSlice, Service, ServicePort } from '@rollcall/manifests';
import { isMirrored, mirroredAddresses } from './mirrored.ts';

/** One address of a hand-written object of either kind. */
interface Written {
  readonly address: string;
  readonly instance: string;
  readonly zone: string;
  readonly state: 'up' | 'starting' | 'draining';
  readonly ports: readonly {
    readonly name: string;
    /** Undefined: any port, which only a slice may say. */
    readonly port: number | undefined;
    readonly protocol: string;
  }[];
}

type Ports = readonly {
  readonly name?: string | undefined;
  readonly port?: number | undefined;
  readonly protocol?: string | undefined;
}[];

const portsOf = (ports: Ports = []) =>
  ports.map(({ name = '', port, protocol = 'TCP' }) => ({ name, port, protocol }));

/** The host name, else the name of what it refers to, else the address. An empty name is none. */
function instanceOf(hostname: string | undefined, ref: unknown, address: string): string {
  const { name } = (ref ?? {}) as { readonly name?: string };
  return [hostname, name].find((one) => one !== undefined && one !== '') ?? address;
}

function* ofEndpoints({ subsets = [] }: Endpoints): Generator<Written> {
  for (const subset of subsets) {
    for (const { address, isReady } of mirroredAddresses(subset)) {
      const { ip = '', hostname, targetRef } = address;
      const instance = instanceOf(hostname, targetRef, ip);
      const state = isReady ? 'up' : 'starting';
      yield { address: ip, instance, zone: '', state, ports: portsOf(subset.ports) };
    }
  }
}

function* ofSlice({ endpoints = [], ports }: EndpointSlice): Generator<Written> {
  for (const { addresses = [], conditions, hostname, targetRef, zone = '' } of endpoints) {
    const [address = ''] = addresses;
    const { ready = true, terminating = false } = conditions ?? {};
    const state = terminating ? 'draining' : ready ? 'up' : 'starting';
    const instance = instanceOf(hostname, targetRef, address);
    yield { address, instance, zone, state, ports: portsOf(ports) };
  }
}

/** Undefined if the target port is a name: hand-written addresses have no named ports. */
function targetOf({ port, targetPort = port }: ServicePort): number | undefined {
  return typeof targetPort === 'number' ? targetPort : undefined;
}

/**
 * The endpoints of a service without a selector, from the objects written by hand for it. Ports match by name, as in
 * kube-proxy; the number is that of the hand-written object, and where that is for any number, the target port of the
 * service. Pure.
 */
export function writtenEndpoints(
  service: Service,
  endpoints: Endpoints | undefined,
  slices: Iterable<EndpointSlice>,
): readonly Endpoint[] {
  const { spec = {} } = service;
  const written = [
    ...(endpoints !== undefined && isMirrored(endpoints) ? ofEndpoints(endpoints) : []),
    ...[...slices].flatMap((slice) => [...ofSlice(slice)]),
  ];
  const wanted = new Map((spec.ports ?? []).map((port) => [port.name ?? '', targetOf(port)]));
  const found = new Map<string, Endpoint>();
  for (const one of written) {
    // A headless service may have addresses only, without ports.
    const ports = wanted.size === 0 ? [{ name: '', port: 0, protocol: 'TCP' }] : one.ports;
    for (const { name, port: own, protocol } of ports) {
      if (wanted.size > 0 && !wanted.has(name)) continue;
      const port = own ?? wanted.get(name);
      if (port === undefined) continue;
      const conditions = STATE_TABLE[one.state];
      const isPublished = spec.publishNotReadyAddresses === true;
      const endpoint: Endpoint = {
        id: `${one.address}:${port}/${name}`,
        instance: one.instance,
        address: one.address,
        port,
        portName: name,
        protocol: protocol as Endpoint['protocol'],
        containerPort: port,
        zone: one.zone,
        weight: 100,
        labels: {},
        state: one.state,
        reason: one.state === 'up' ? '' : 'written so by hand',
        ...conditions,
        ...(isPublished ? { ready: true, tier: conditions.tier ?? 0 } : {}),
      };
      // If it is written twice, ready wins.
      if (found.get(endpoint.id)?.ready !== true) found.set(endpoint.id, Object.freeze(endpoint));
    }
  }
  return [...found.values()];
}
