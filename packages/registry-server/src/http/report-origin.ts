import { BalancerAddress, ProblemError, type ServiceReport } from '@rollcall/contract';
import type { Caller } from '../access/caller.ts';

/**
 * The report with the address that it comes from where it names none: a balancer that listens on all addresses of its
 * machine does not know by which one others reach it. Throws `invalid_request` when others cannot use that one either.
 */
export function withPeer(
  report: ServiceReport,
  { peerAddress: ip }: Pick<Caller, 'peerAddress'>,
): ServiceReport {
  const isNamed = ({ ip: own, hostname }: BalancerAddress) => (own ?? hostname) !== undefined;
  if (report.loadBalancer.every(isNamed)) return report;
  if (!BalancerAddress.safeParse({ ip }).success) {
    const message = `expected the address that callers reach it at: the connection's own, ${JSON.stringify(ip)}, is valid only on this link`;
    throw new ProblemError('invalid_request', message, { field: 'loadBalancer' });
  }
  const loadBalancer = report.loadBalancer.map((one) => (isNamed(one) ? one : { ip, ...one }));
  return { ...report, loadBalancer };
}
