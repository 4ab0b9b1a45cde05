import type { ProgramMetrics, Sample } from '@rollcall/daemon';
import type { BalancedServices } from '../services/serve-services.ts';

/** Metrics of the services of type LoadBalancer. */
export function addServiceMetrics(
  metrics: ProgramMetrics,
  { services, tcp, udp, refusals }: BalancedServices,
): void {
  const states = {
    name: 'services',
    help: 'Services of type LoadBalancer, with and without an address.',
    labelNames: ['state'],
  };
  metrics.gauge(states, () => {
    const all = [...services.services()];
    const bound = all.filter(({ address }) => address !== undefined).length;
    return [
      [bound, { state: 'bound' }],
      [all.length - bound, { state: 'pending' }],
    ];
  });
  const open = { name: 'service_connections', help: 'TCP connections open.' };
  metrics.gauge(open, () => [[tcp.open]]);
  const accepted = { name: 'service_connections_total', help: 'TCP connections accepted.' };
  metrics.counter(accepted, () => [[tcp.accepted]]);
  metrics.gauge({ name: 'service_udp_flows', help: 'UDP flows open.' }, () => [[udp.flows]]);
  const refused = {
    name: 'service_refused_total',
    help: 'Refused clients of services.',
    labelNames: ['reason'],
  };
  metrics.counter(refused, () =>
    Object.entries(refusals).map(([reason, value]): Sample => [value, { reason }]),
  );
}
