import type { PoolMember } from '@rollcall/balancing';
import type { TargetCounters } from '@rollcall/dataplane';
import type { ProxiedService } from '../proxy/proxied-service.ts';
import { formatAddress } from '../proxy/service-address.ts';

/** `GET /services`: what is served where, and with what behind it. */
export function reportServices(services: Iterable<ProxiedService>) {
  return { services: Array.from(services, reportService) };
}

function reportService(service: ProxiedService) {
  const { key, declared, pools } = service;
  return {
    service: key,
    type: declared.type,
    scheduler: pools.scheduler,
    affinityMs: declared.affinityMs,
    boundClients: pools.boundClients,
    addresses: service.standings().map(({ address, status }) => ({
      kind: address.kind,
      address: formatAddress(address),
      portName: address.servicePort.name,
      state: status.state,
      detail: status.detail,
    })),
    ports: declared.ports.map((port) => {
      const pool = pools.poolOf(port);
      const members = [...(pool?.members() ?? [])];
      return {
        name: port.name,
        port: port.port,
        protocol: port.protocol,
        endpoints: members.map((member) => ({
          ...reportMember(member),
          isEjected: pool?.isEjected(member) ?? false,
        })),
      };
    }),
  };
}

function reportMember({ id, host, port, endpoint, counters }: PoolMember<TargetCounters>) {
  const { state, tier, weight } = endpoint;
  const { inFlight, connections, connectFailures } = counters;
  return { id, address: host, port, state, tier, weight, inFlight, connections, connectFailures };
}
