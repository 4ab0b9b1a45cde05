import { guardAdmin } from '@rollcall/daemon';
import { type FastifyInstance, fastify } from 'fastify';
import type { Registry } from 'prom-client';
import type { BalancedServices } from '../compose-services.ts';
import type { RegistryTargetGroup } from '../groups/target-group.ts';
import { reportServices } from './service-report.ts';
import { reportTargets } from './target-report.ts';

export interface AdminParts {
  readonly groups: readonly RegistryTargetGroup[];
  /** Undefined: services of type LoadBalancer are left to others. */
  readonly services: BalancedServices | undefined;
  readonly metrics: Registry;
  readonly isClosing: () => boolean;
  /** Names under which it is asked besides the machine's own. */
  readonly allowHosts: readonly string[];
}

/** What operators and their tools ask. Not yet listening. */
export function createAdminServer({
  groups,
  services,
  metrics,
  isClosing,
  allowHosts,
}: AdminParts): FastifyInstance {
  const app = fastify({ logger: false, forceCloseConnections: true });
  guardAdmin(app, allowHosts);
  app.get('/livez', () => ({ status: 'ok' }));
  app.get('/readyz', (_request, reply) => {
    const waitingFor = groups.filter((group) => !group.hasPicture).map(({ name }) => name);
    if (services?.catalog.isReady === false) waitingFor.push('loadBalancerServices');
    if (isClosing()) return reply.code(503).send({ status: 'closing' });
    if (waitingFor.length > 0) return reply.code(503).send({ status: 'waiting', waitingFor });
    return reply.send({ status: 'ok' });
  });
  app.get('/targets', () => reportTargets(groups));
  app.get('/services', () => reportServices(services?.balancer.services() ?? []));
  app.get('/metrics', async (_request, reply) => {
    const text = await metrics.metrics();
    return reply.type(metrics.contentType).send(text);
  });
  app.setNotFoundHandler((_request, reply) =>
    reply
      .code(404)
      .send({ code: 'not_found', detail: 'try /livez, /readyz, /metrics, /targets or /services' }),
  );
  return app;
}
