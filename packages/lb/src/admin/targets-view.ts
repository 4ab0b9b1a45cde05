import type { FrontReport } from '../front/front-report.ts';
import type { RegistryTargetGroup } from '../groups/target-group.ts';

/** `GET /targets`: the state of every target, with the reason. */
export function targetsView(
  groups: Iterable<RegistryTargetGroup>,
  { targets }: Pick<FrontReport, 'targets'>,
) {
  return {
    targetGroups: Array.from(groups, (group) => {
      const { service, namespace, policy } = group.config;
      return {
        name: group.name,
        service,
        namespace,
        policy,
        hasPicture: group.hasPicture,
        pictureAgeMs: group.hasPicture ? Math.round(group.pictureAgeMs) : null,
        isFailOpen: group.isFailOpen,
        trouble: group.trouble,
        targets: targets[group.name] ?? [],
      };
    }),
  };
}
