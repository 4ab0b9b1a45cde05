import type { FrontReport } from '../front/front-report.ts';
import type { LiveTargetGroup } from '../groups/target-group.ts';
import type { OperationsState } from '../operations/operations.ts';

const isoOf = (ms: number): string => new Date(ms).toISOString();

/** `GET /targets`: the state of every target, with the reason, and what operators have taken out of use. */
export function targetsView(
  groups: Iterable<LiveTargetGroup>,
  { targets }: Pick<FrontReport, 'targets'>,
  { drains, shifts }: OperationsState,
) {
  return {
    zoneShifts: shifts.map(({ zone, sinceMs, untilMs, isForced }) => {
      return { zone, since: isoOf(sinceMs), until: isoOf(untilMs), isForced };
    }),
    targetGroups: Array.from(groups, (group) => {
      const { service, namespace, dns, policy } = group.config;
      return {
        name: group.name,
        ...(service === undefined ? {} : { service, namespace }),
        ...(dns === undefined ? {} : { dns: dns.name }),
        policy,
        hasPicture: group.hasPicture,
        pictureAgeMs: group.hasPicture ? Math.round(group.pictureAgeMs) : null,
        isFailOpen: group.isFailOpen,
        trouble: group.trouble,
        drains: drains
          .filter((drain) => drain.group === group.name)
          .map(({ target, sinceMs, isForced }) => ({ target, since: isoOf(sinceMs), isForced })),
        targets: targets[group.name] ?? [],
      };
    }),
  };
}
