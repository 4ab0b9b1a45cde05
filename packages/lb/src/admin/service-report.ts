import type { BalancedService } from '../services/balanced-service.ts';

/** `GET /services`: which service of type LoadBalancer has which address, and how its endpoints stand. */
export function reportServices(services: Iterable<BalancedService>) {
  return { services: Array.from(services, reportService) };
}

function reportService({ key, address, declared, pools }: BalancedService) {
  return {
    service: key,
    address: address ?? null,
    scheduler: pools.scheduler,
    boundClients: pools.boundClients,
    ports: declared.ports.map((port) => ({
      name: port.name,
      port: port.port,
      protocol: port.protocol,
      endpoints: Array.from(pools.poolOf(port)?.members() ?? [], (member) => ({
        id: member.id,
        address: member.host,
        port: member.port,
        state: member.endpoint.state,
        tier: member.endpoint.tier,
        weight: member.weight,
        inFlight: member.counters.inFlight,
        connections: member.counters.connections,
        connectFailures: member.counters.connectFailures,
      })),
    })),
  };
}
