import { describePorts } from '@rollcall/service-plane';
import type { BalancedService } from '../services/balanced-service.ts';

/** `GET /services`: the address of each service of type LoadBalancer, and the state of its endpoints. */
export function servicesView(services: Iterable<BalancedService>) {
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
