import { describePorts, formatAddress } from '@rollcall/service-plane';
import type { ProxiedService } from '../proxy/proxied-service.ts';

/** `GET /services`: which services are served at which addresses, with which endpoints. */
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
    ports: describePorts(service),
  };
}
