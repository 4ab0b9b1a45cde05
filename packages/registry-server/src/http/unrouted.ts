import { ProblemError, ROUTES } from '@rollcall/contract';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { sendProblem } from './problems.ts';

const OPERATIONS = ['/livez', '/readyz', '/metrics', '/openapi.json', '/docs'];

const PATTERNS = [
  ...Object.values(ROUTES).map(({ method, path }) => ({ method, pattern: patternOf(path) })),
  ...OPERATIONS.map((path) => ({ method: 'GET', pattern: patternOf(path) })),
];

function patternOf(path: string): RegExp {
  return new RegExp(`^${path.replaceAll(/:[a-z]+/g, '[^/]+')}/?$`);
}

/** Answers requests without a route: 405 with the methods of the path, else 404. */
export function onUnrouted(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const path = request.url.split('?', 1)[0] ?? '';
  const methods = PATTERNS.filter(({ pattern }) => pattern.test(path)).map(({ method }) => method);
  const allowed = [...new Set(methods)].toSorted();
  if (allowed.length === 0 || allowed.includes(request.method)) {
    const message = `there is nothing at ${path.slice(0, 200)}; /openapi.json lists the calls`;
    return sendProblem(reply, new ProblemError('route_not_found', message));
  }
  reply.header('allow', allowed.join(', '));
  const message = `expected ${allowed.join(', ')}, got ${request.method}`;
  return sendProblem(reply, new ProblemError('method_not_allowed', message, { field: 'method' }));
}
