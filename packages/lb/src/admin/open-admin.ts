import type { Clock } from '@rollcall/runtime';
import type { Front, WorkersState } from '../front/front.ts';
import type { TargetHistory } from '../groups/target-history.ts';
import type { TargetGroups } from '../groups/target-groups.ts';
import type { IngressFollower } from '../ingress/ingress-follower.ts';
import type { Operations } from '../operations/operations.ts';
import type { RegistryLink } from '../registry/registry-link.ts';
import type { Reloader } from '../reload/reloader.ts';
import type { BalancedServices } from '../services/serve-services.ts';
import type { BalancerTls } from '../tls/balancer-tls.ts';
import { AdminPort } from './admin-port.ts';
import { expiredIn, reportCertificates, reportExpiry } from './certificate-report.ts';
import { createMetrics, type MetricSources } from './metrics.ts';
import { historyView } from './history-view.ts';
import { operatorActions } from './operator-actions.ts';
import { readinessDetails, reloadAction } from './reload-action.ts';
import { servicesView } from './services-view.ts';
import { targetsView } from './targets-view.ts';

/** What the admin port tells about. */
export interface AdminSources {
  readonly clock: Clock;
  readonly link: Pick<RegistryLink, 'isUnreachable'>;
  readonly groups: TargetGroups;
  readonly front: Front;
  readonly tls: BalancerTls;
  readonly services: BalancedServices | undefined;
  readonly ingresses: Pick<IngressFollower, 'isReady'>;
  readonly supervisor: MetricSources['supervisor'];
  readonly operations: Operations;
  readonly history: TargetHistory;
  /** Undefined: the configuration stays as it is. */
  readonly reloader: Reloader | undefined;
  readonly isClosing: () => boolean;
}

/** The admin port of a balancer; it does not listen yet. */
export function openAdmin(sources: AdminSources): AdminPort {
  const { clock, groups, front, services, link, supervisor, tls, reloader } = sources;
  const { ingresses, isClosing, operations, history } = sources;
  const reloads = reloader === undefined ? undefined : () => reloader.state;
  const report = () => front.report();
  const workers = front.workers === undefined ? undefined : () => front.workers!;
  const shown = { report, groups: () => groups.all, services, tls, supervisor, reloads, workers };
  return new AdminPort(
    {
      metrics: createMetrics(shown),
      waitingFor: () => [
        ...groups.all.filter((group) => !group.hasPicture).map(({ name }) => name),
        ...(services?.catalog.isReady === false ? ['loadBalancerServices'] : []),
        ...(ingresses.isReady ? [] : ['ingress']),
      ],
      missing: () => [
        ...(link.isUnreachable ? ['registry'] : []),
        ...expiredIn(tls, clock.wallMs()),
        ...missingWorkers(front.workers),
      ],
      isClosing,
      views: {
        '/targets': async () => targetsView(groups.all, await report(), operations.state),
        '/targets/history': (request) => historyView(history, groups.names, request),
        '/certificates': () => reportCertificates(tls, clock.wallMs()),
        '/services': () => servicesView(services?.services.services() ?? []),
      },
      details: () => ({
        ...(front.workers === undefined ? {} : { workers: front.workers }),
        ...(reloader === undefined ? {} : readinessDetails(reloader.state)),
        ...(tls.listeners.size === 0 ? {} : { certificates: reportExpiry(tls, clock.wallMs()) }),
      }),
      actions: {
        ...(reloader === undefined ? {} : { '/reload': () => reloadAction(reloader) }),
        ...operatorActions(operations, groups, report),
      },
    },
    clock,
  );
}

function missingWorkers(workers: WorkersState | undefined): string[] {
  if (workers === undefined || workers.serving >= workers.wanted) return [];
  return [`${workers.wanted - workers.serving} of ${workers.wanted} workers`];
}
