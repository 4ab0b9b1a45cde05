import { describePorts } from '@rollcall/service-plane';
import type { BalancedService } from '../services/balanced-service.ts';

/** `GET /services`: which service of type LoadBalancer has which address, and how its endpoints stand. */
export function reportServices(services: Iterable<BalancedService>) {
  return { services: Array.from(services, reportService) };
}

function reportService(service: BalancedService) {
  const { key, address, pools } = service;
  return {
    service: key,
    address: address ?? null,
    scheduler: pools.scheduler,
    boundClients: pools.boundClients,
    ports: describePorts(service),
  };
}
