import type { CalledTarget } from '@rollcall/client-sdk';
import type { Tell } from '@rollcall/daemon';
import type { Clock, Random } from '@rollcall/runtime';
import type { TargetGroupConfig } from './config/schema.ts';
import type { Front } from './front/front.ts';
import { CombinedSource } from './groups/combined-source.ts';
import { DnsSource } from './groups/dns-source.ts';
import type { ConnectionCloser } from './groups/draining-targets.ts';
import { createResolver, type Resolver } from './groups/resolver.ts';
import type { TargetHistory } from './groups/target-history.ts';
import { TargetGroups } from './groups/target-groups.ts';
import type { LiveTargetGroup } from './groups/target-group.ts';
import type { TargetGroupParts } from './groups/target-group-parts.ts';
import type { TargetSource } from './groups/target-source.ts';
import { WrittenSource } from './groups/written-source.ts';
import { HealthChecker } from './health/health-checker.ts';
import { HttpProbe } from './health/http-probe.ts';
import { OperatedSource } from './operations/operated-source.ts';
import type { Operations } from './operations/operations.ts';
import type { RegistryLink } from './registry/registry-link.ts';

interface GroupParts {
  readonly clock: Clock;
  readonly random: Random['share'];
  readonly log: Tell;
  readonly openSource?: (group: TargetGroupConfig) => TargetSource;
  readonly openResolver?: (servers: readonly string[] | undefined) => Resolver;
}

/** What groups are put together with. */
interface GroupNeeds {
  readonly front: Pick<Front, 'calledTargets'>;
  /** Its connections to targets. */
  readonly closer: ConnectionCloser;
  readonly link: RegistryLink;
  readonly operations: Operations;
  readonly history: TargetHistory;
}

/** The groups of a balancer, with all that they get their targets from. */
export function openGroups(
  { front, closer, link, operations, history }: GroupNeeds,
  parts: GroupParts,
): TargetGroups {
  const { clock, random, log } = parts;
  const openChecks: TargetGroupParts['openChecks'] = (config, onChange, way) =>
    new HealthChecker(config.intervalMs, {
      probe: new HttpProbe(config, clock, way),
      clock,
      random,
      onChange,
    });
  const onOpened = (group: LiveTargetGroup) => {
    const { service, namespace } = group.config;
    if (service === undefined) return () => {};
    // The registry knows nothing of the others.
    const targets = () => Array.from(front.calledTargets(group)).filter(isRegistered);
    return link.reportTraffic({ service, namespace, targets });
  };
  return new TargetGroups({
    openSource: (config, name) =>
      new OperatedSource(openSource(config, link, parts), name, operations),
    openChecks,
    onOpened,
    closer,
    clock,
    random,
    log: (message) => log(message),
    note: (group, { id }, change) => history.add(group, id, change),
    onNames: (names) => history.retain(names),
  });
}

/** Ids of endpoints are those of instances and ports. */
const isRegistered = ({ id }: CalledTarget): boolean => id.includes('/');

/** All that a group gets its targets from. */
function openSource(
  config: TargetGroupConfig,
  link: RegistryLink,
  { clock, random, log, openSource: open, openResolver = createResolver }: GroupParts,
): TargetSource {
  const { service, dns } = config;
  const registered = service === undefined ? [] : [open?.(config) ?? link.source(service, config)];
  const named =
    dns === undefined
      ? []
      : [new DnsSource(dns, { clock, random, log, resolver: openResolver(dns.servers) })];
  return new CombinedSource([new WrittenSource(config), ...named, ...registered]);
}
