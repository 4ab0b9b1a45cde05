import type { BalancerAddress } from '@rollcall/contract';
import type { StoredReport } from '../picture/declared/report-table.ts';

const placeOf = ({ ip, hostname }: BalancerAddress) => ip ?? hostname ?? '';

/** The addresses that balancers report of an Ingress: each once, with all its ports, sorted. */
export function reportedAddresses(reports: readonly StoredReport[]): BalancerAddress[] {
  const places = Map.groupBy(
    reports.flatMap(({ loadBalancer }) => loadBalancer),
    placeOf,
  );
  return [...places]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([, [first, ...others]]) => {
      if (first === undefined) return [];
      const ports = [first, ...others].flatMap(({ ports: own = [] }) => own);
      const distinct = new Map(ports.map((one) => [`${one.port}/${one.protocol}`, one] as const));
      const sorted = [...distinct.values()].toSorted((a, b) => a.port - b.port);
      return [{ ...first, ...(sorted.length === 0 ? {} : { ports: sorted }) }];
    });
}
