import { type FastifyInstance, fastify } from 'fastify';
import type { Registry } from 'prom-client';
import type { RegistryTargetGroup } from '../groups/target-group.ts';
import { reportTargets } from './target-report.ts';

export interface AdminParts {
  readonly groups: readonly RegistryTargetGroup[];
  readonly metrics: Registry;
  readonly isClosing: () => boolean;
}

/** What operators and their tools ask. Not yet listening. */
export function createAdminServer({ groups, metrics, isClosing }: AdminParts): FastifyInstance {
  const app = fastify({ logger: false, forceCloseConnections: true });
  app.get('/livez', () => ({ status: 'ok' }));
  app.get('/readyz', (_request, reply) => {
    const waitingFor = groups.filter((group) => !group.hasPicture).map(({ name }) => name);
    if (isClosing()) return reply.code(503).send({ status: 'closing' });
    if (waitingFor.length > 0) return reply.code(503).send({ status: 'waiting', waitingFor });
    return reply.send({ status: 'ok' });
  });
  app.get('/targets', () => reportTargets(groups));
  app.get('/metrics', async (_request, reply) => {
    const text = await metrics.metrics();
    return reply.type(metrics.contentType).send(text);
  });
  app.setNotFoundHandler((_request, reply) =>
    reply
      .code(404)
      .send({ code: 'not_found', detail: 'try /livez, /readyz, /metrics or /targets' }),
  );
  return app;
}
