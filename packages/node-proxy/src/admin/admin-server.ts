import { guardAdmin } from '@rollcall/daemon';
import { type FastifyInstance, fastify } from 'fastify';
import type { Registry } from 'prom-client';
import type { ServiceProxy } from '../proxy/service-proxy.ts';
import { reportServices } from './service-report.ts';

export interface AdminParts {
  readonly proxy: ServiceProxy;
  readonly metrics: Registry;
  /** Whether a first whole picture was seen. */
  readonly hasPicture: () => boolean;
  readonly isClosing: () => boolean;
  /** Names under which it is asked besides the machine's own. */
  readonly allowHosts: readonly string[];
}

/** What operators and their tools ask. Not yet listening. */
export function createAdminServer({
  proxy,
  metrics,
  hasPicture,
  isClosing,
  allowHosts,
}: AdminParts): FastifyInstance {
  const app = fastify({ logger: false, forceCloseConnections: true });
  guardAdmin(app, allowHosts);
  app.get('/livez', () => ({ status: 'ok' }));
  app.get('/readyz', (_request, reply) => {
    if (isClosing()) return reply.code(503).send({ status: 'closing' });
    if (!hasPicture()) return reply.code(503).send({ status: 'waiting', waitingFor: 'registry' });
    return reply.send({ status: 'ok' });
  });
  app.get('/services', () => reportServices(proxy.services()));
  app.get('/metrics', async (_request, reply) => {
    const text = await metrics.metrics();
    return reply.type(metrics.contentType).send(text);
  });
  app.setNotFoundHandler((_request, reply) =>
    reply
      .code(404)
      .send({ code: 'not_found', detail: 'try /livez, /readyz, /metrics or /services' }),
  );
  return app;
}
