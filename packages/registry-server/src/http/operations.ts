import { isServing, readinessOf } from '@rollcall/daemon';
import type { FastifyInstance } from 'fastify';
import type { Follower } from '../picture/follower.ts';
import type { Picture } from '../picture/picture.ts';
import type { Sweeper } from '../upkeep/sweeper.ts';
import type { ServerMetrics } from './metrics.ts';

export interface OperationSources {
  readonly picture: Picture;
  readonly follower: Follower;
  readonly sweeper: Sweeper;
  readonly metrics: ServerMetrics;
  readonly isClosing: () => boolean;
}

/** The routes for orchestrators and dashboards. They need no token, since nothing here names an instance. */
export function bindOperations(app: FastifyInstance, sources: OperationSources): void {
  const { picture, follower, sweeper, metrics, isClosing } = sources;
  const schema = { hide: true };
  const config = { priority: 'always' } as const;

  app.get('/livez', { schema, config }, async () => ({ status: 'live' }));

  app.get<{ Querystring: { for?: string } }>(
    '/readyz',
    { schema, config },
    async (request, reply) => {
      const isLoaded = picture.isLoaded;
      // A sweep is a write too: while sweeps fail, other writes would fail too.
      const isSweeping = !follower.isUnswept && !sweeper.isFailing;
      const canWrite = follower.isStoreReachable && isSweeping;
      const waitingFor = [
        ...(isLoaded ? [] : ['roll']),
        ...(request.query.for !== 'writes' || canWrite ? [] : ['store']),
      ];
      const readiness = readinessOf({ isClosing: isClosing(), waitingFor });
      return reply.code(isServing(readiness) ? 200 : 503).send({
        ...readiness,
        isLoaded,
        isStoreReachable: follower.isStoreReachable,
        isSweeping,
        isClosing: isClosing(),
        storeAgeMs: isLoaded ? picture.ageMs() : null,
        revision: String(picture.revision),
      });
    },
  );

  app.get('/metrics', { schema, config }, async (_, reply) => {
    return reply.header('content-type', metrics.contentType).send(await metrics.text());
  });

  app.get('/openapi.json', { schema }, async () => app.swagger());
}
