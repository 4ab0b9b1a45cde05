import type { BalancerAddress, Condition } from '@rollcall/contract';
import type { Manifest } from '@rollcall/manifests';
import type { StoredReport } from './report-table.ts';

const placeOf = ({ ip, hostname }: Pick<BalancerAddress, 'ip' | 'hostname'>) =>
  ip ?? hostname ?? '';

/** A condition that a client wrote, or a data plane reports. */
type ShownCondition = Readonly<Record<string, unknown>>;

/** An address that a client wrote, or a balancer reports. */
type ShownAddress = Readonly<Record<string, unknown>> & {
  readonly ip?: string | undefined;
  readonly hostname?: string | undefined;
};

/** The part of a status that clients write and data planes report. */
export interface ShownStatus {
  readonly conditions?: readonly ShownCondition[] | undefined;
  readonly loadBalancer?: { readonly ingress?: readonly ShownAddress[] | undefined } | undefined;
}

/** The addresses that balancers report of an Ingress: each once, with all its ports, sorted. */
function ingressAddresses(reports: readonly StoredReport[]): BalancerAddress[] {
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

/** What data planes report of a service or an Ingress, in the form of its status. */
function reportedStatus(
  manifest: Manifest,
  reports: readonly StoredReport[],
): { readonly conditions: readonly Condition[]; readonly ingress: readonly BalancerAddress[] } {
  if (manifest.kind === 'Ingress') return { conditions: [], ingress: ingressAddresses(reports) };
  if (manifest.kind !== 'Service') return { conditions: [], ingress: [] };
  const conditions = reports.flatMap(({ reporter, conditions: said }) =>
    said.map((one) => ({ ...one, message: `${reporter}: ${one.message}` })),
  );
  const isBalanced = manifest.spec?.type === 'LoadBalancer';
  const ingress = isBalanced ? reports.flatMap(({ loadBalancer }) => loadBalancer) : [];
  return { conditions, ingress };
}

/** The status of a service or an Ingress: what clients wrote, and then what data planes report besides. */
export function shownStatus(manifest: Manifest, reports: readonly StoredReport[]): ShownStatus {
  const written = (manifest as { readonly status?: ShownStatus }).status ?? {};
  const reported = reportedStatus(manifest, reports);
  const conditions = [...(written.conditions ?? []), ...reported.conditions];
  const own = written.loadBalancer?.ingress ?? [];
  const known = new Set(own.map(placeOf));
  const ingress = [...own, ...reported.ingress.filter((one) => !known.has(placeOf(one)))];
  return {
    ...(conditions.length > 0 ? { conditions } : {}),
    loadBalancer: ingress.length > 0 ? { ingress } : {},
  };
}

/** The status without what data planes report: a client that sends back what it was shown did not write those parts. */
export function withoutReported(
  status: ShownStatus,
  manifest: Manifest,
  reports: readonly StoredReport[],
): ShownStatus {
  const reported = reportedStatus(manifest, reports);
  const isReported = (one: object, among: readonly object[]) => {
    const text = sortedText(one);
    return among.some((other) => sortedText(other) === text);
  };
  const { conditions, loadBalancer, ...rest } = status;
  const left = (conditions ?? []).filter((one) => !isReported(one, reported.conditions));
  const ingress = loadBalancer?.ingress?.filter((one) => !isReported(one, reported.ingress));
  return {
    ...rest,
    ...(left.length > 0 ? { conditions: left } : {}),
    ...(ingress !== undefined && ingress.length > 0 ? { loadBalancer: { ingress } } : {}),
  };
}

function sortedText(one: object): string {
  const said = Object.entries(one).filter(([, value]) => value !== undefined);
  return JSON.stringify(said.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
