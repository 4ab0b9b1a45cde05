import { type FastifyInstance, type FastifyRequest, fastify } from 'fastify';
import type { Registry } from 'prom-client';
import { BrowserGuard, guardAdmin } from './browser-guard.ts';
import { type AdminProblem, sendProblem } from './problem.ts';
import { bindFailure } from './start-error.ts';

/** What a request to an admin port names. */
export interface AdminRequest {
  /** What stands for `:name` in the path. */
  readonly params: Readonly<Record<string, string>>;
  /** Of a parameter that is given twice, the last one. */
  readonly query: Readonly<Record<string, string>>;
}

/** The answer to something that an operator asked for. */
export type AdminAnswer =
  | { readonly status: number; readonly body: object }
  | { readonly problem: AdminProblem };

export interface AdminParts {
  readonly metrics: Pick<Registry, 'metrics' | 'contentType'>;
  /** What the program still waits for; empty when it is ready. */
  readonly waitingFor: () => readonly string[];
  /** What the program does without at the moment, although it serves. @default nothing */
  readonly missing?: () => readonly string[];
  readonly isClosing: () => boolean;
  /** Host names that requests may use, besides the machine's own. */
  readonly allowHosts: readonly string[] | BrowserGuard;
  /** Further fields of `/readyz`. @default none */
  readonly details?: () => object;
  /** Further read-only pages, by path. */
  readonly views?: Readonly<Record<string, (request: AdminRequest) => unknown>>;
  /** What operators may ask for with POST and without a body, by path, in which `:name` stands for any text. */
  readonly actions?: Readonly<Record<string, (request: AdminRequest) => Promise<AdminAnswer>>>;
}

/** The admin server for operators: `/livez`, `/readyz`, `/metrics` and the views. Not yet listening. */
export function createAdminServer(parts: AdminParts): FastifyInstance {
  const { metrics, waitingFor, missing = () => [], isClosing, allowHosts } = parts;
  const { views = {}, actions = {}, details = () => ({}) } = parts;
  const app = fastify({ logger: false, forceCloseConnections: true });
  const guard = allowHosts instanceof BrowserGuard ? allowHosts : new BrowserGuard({ allowHosts });
  guardAdmin(app, guard);
  app.get('/livez', () => ({ status: 'live' }));
  app.get('/readyz', (_request, reply) => {
    const state = { isClosing: isClosing(), waitingFor: waitingFor(), missing: missing() };
    const readiness = readinessOf(state);
    return reply.code(isServing(readiness) ? 200 : 503).send({ ...readiness, ...details() });
  });
  for (const [path, view] of Object.entries(views)) {
    app.get(path, (request) => view(adminRequestOf(request)));
  }
  app.get('/metrics', async (_request, reply) => {
    const text = await metrics.metrics();
    return reply.type(metrics.contentType).send(text);
  });
  addActions(app, actions);
  const posts = Object.keys(actions).map((path) => `POST ${path}`);
  const paths = ['/livez', '/readyz', '/metrics', ...Object.keys(views), ...posts];
  const detail = `try ${paths.slice(0, -1).join(', ')} or ${paths.at(-1)}`;
  const title = 'There is no such path';
  app.setNotFoundHandler((_request, reply) =>
    sendProblem(reply, { status: 404, code: 'not_found', title, detail }),
  );
  return app;
}

/**
 * A browser may send a form to any address without asking first. What it sends then has one of three media types, which
 * are refused here; the guard refuses what comes from pages besides.
 */
function addActions(app: FastifyInstance, actions: NonNullable<AdminParts['actions']>): void {
  app.removeContentTypeParser('text/plain');
  app.setErrorHandler(
    (error: { readonly statusCode?: number; readonly message: string }, _, reply) => {
      const { statusCode: status = 500, message: detail } = error;
      const [code, title] =
        status < 500
          ? (['invalid_request', 'The request is wrong'] as const)
          : (['internal', 'The program has a fault'] as const);
      return sendProblem(reply, { status, code, title, detail });
    },
  );
  for (const [path, act] of Object.entries(actions)) {
    app.post(path, async (request, reply) => {
      const answer = await act(adminRequestOf(request));
      return 'problem' in answer
        ? sendProblem(reply, answer.problem)
        : reply.code(answer.status).send(answer.body);
    });
  }
}

function adminRequestOf({ params, query }: FastifyRequest): AdminRequest {
  const last = Object.entries(query as Record<string, string | string[]>).map(
    ([name, value]) => [name, [value].flat().at(-1) ?? ''] as const,
  );
  return { params: params as Record<string, string>, query: Object.fromEntries(last) };
}

/** The answer of `/readyz` in every program. `degraded`: it serves, but without what it waits for. */
export interface Readiness {
  readonly status: 'ready' | 'degraded' | 'waiting' | 'closing';
  readonly waitingFor: readonly string[];
}

export function readinessOf(state: {
  readonly isClosing: boolean;
  readonly waitingFor: readonly string[];
  readonly missing?: readonly string[];
}): Readiness {
  const { isClosing, waitingFor, missing = [] } = state;
  if (isClosing) return { status: 'closing', waitingFor: [] };
  if (waitingFor.length > 0) return { status: 'waiting', waitingFor };
  return { status: missing.length === 0 ? 'ready' : 'degraded', waitingFor: missing };
}

/** Whether the program takes work: then the answer has the status 200. */
export function isServing({ status }: Readiness): boolean {
  return status === 'ready' || status === 'degraded';
}

/**
 * Listens, and resolves with the address, such as `http://127.0.0.1:7453`.
 * @throws StartError that names `remedy`, the options that set the address.
 */
export async function listenAdmin(
  admin: FastifyInstance,
  address: { readonly host: string; readonly port: number },
  remedy: string,
): Promise<string> {
  const { host, port } = address;
  return admin
    .listen({ host, port })
    .catch((error: unknown) => Promise.reject(bindFailure(address, remedy, error)));
}
