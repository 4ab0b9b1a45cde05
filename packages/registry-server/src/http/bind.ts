import type { IncomingMessage } from 'node:http';
import { isIPv4 } from 'node:net';
import { Problem, ProblemError, type Route, type RouteName, ROUTES } from '@rollcall/contract';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import {
  type Bearer,
  type Caller,
  EVERYTHING,
  type Grants,
  keyOf,
  mayEnter,
  mayReadSecrets,
} from '../access/caller.ts';
import type { Tokens } from '../access/tokens.ts';
import { SocketStream } from '../watch/socket-stream.ts';
import type { Binder, BindOptions, Call } from './call.ts';
import type { ReadQueue } from './load/read-queue.ts';
import type { RefusedTokens } from './refused-tokens.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** What the caller's token allows. */
    bearer: Bearer;
  }
}

export interface RouteBinderParts {
  /** Decides when a read may run. @default at once */
  readonly reads?: ReadQueue;
  /** Is told about refused tokens. @default none */
  readonly refused?: RefusedTokens;
}

/** Registers routes of the contract on a server. Each route requires its scope. */
export class RouteBinder implements Binder {
  readonly #app: FastifyInstance;
  readonly #tokens: Tokens;
  readonly #reads: ReadQueue | undefined;
  readonly #refused: RefusedTokens | undefined;

  constructor(app: FastifyInstance, tokens: Tokens, { reads, refused }: RouteBinderParts = {}) {
    this.#app = app;
    this.#tokens = tokens;
    this.#reads = reads;
    this.#refused = refused;
    app.decorateRequest('bearer');
  }

  bind<N extends RouteName>(
    name: N,
    handle: (call: Call<N>) => Promise<unknown>,
    options: BindOptions = {},
  ): void {
    const route: Route = ROUTES[name];
    const { method, path: url, summary, scope } = route;
    const priority = options.priority ?? (method === 'GET' ? 'read' : 'write');
    this.#app.route({
      method,
      url,
      schema: schemaOf(route, name, summary),
      ...(options.maxBodyBytes === undefined ? {} : { bodyLimit: options.maxBodyBytes }),
      ...(options.skipsValidation === true ? { validatorCompiler: () => () => true } : {}),
      ...(options.isLong === true ? { serializerCompiler: () => JSON.stringify } : {}),
      config: {
        isStream: route.reply.body === 'stream',
        bodyType: route.bodyType,
        priority,
        rateLimit: rateLimitOf(options),
      },
      onRequest: (request, _reply, done) => {
        try {
          request.bearer = this.#bearerOf(request);
          checkScope(request.bearer.grants, scope, namespaceOf(request));
          done();
        } catch (error) {
          this.#noteRefused(error, request);
          done(error as Error);
        }
      },
      handler: async (request, reply) => {
        const caller = { ...request.bearer, peerAddress: peerOf(request.raw) };
        if (priority === 'read') await this.#awaitTurn(request, caller);
        if (route.reply.body === 'stream') checkTurn(reply);
        const { params, query, body, raw, headers } = request;
        const stream = () => {
          reply.hijack();
          return new SocketStream(raw);
        };
        const isGone = () => raw.socket.readableEnded || raw.socket.destroyed;
        const heard = { params, query, body, caller, headers };
        const call = { ...heard, reply, stream, isGone } as unknown as Call<N>;
        let value: unknown;
        request.turn?.start();
        try {
          value = await handle(call);
        } finally {
          request.turn?.finish();
        }
        if (route.reply.body === 'stream') return reply;
        return reply.code(route.reply.status).send(value);
      },
    });
  }

  #noteRefused(error: unknown, { raw, method, routeOptions }: FastifyRequest): void {
    const { code } = error as Partial<ProblemError>;
    if (code !== 'unauthenticated' && code !== 'forbidden') return;
    const call = { peerAddress: peerOf(raw), method, route: routeOptions.url ?? '' };
    this.#refused?.note(code, call);
  }

  /** Waits for this read's turn. Throws if the caller has closed the connection by then. */
  async #awaitTurn({ raw }: FastifyRequest, caller: Caller): Promise<void> {
    if (this.#reads === undefined) return;
    await this.#reads.turn(keyOf(caller));
    if (raw.socket.destroyed)
      throw new ProblemError('request_timeout', 'the caller has closed the connection');
  }

  #bearerOf(request: FastifyRequest): Bearer {
    const bearer = this.#tokens.bearerOf(request.headers.authorization);
    if (bearer !== undefined) return bearer;
    throw new ProblemError(
      'unauthenticated',
      "expected the header 'authorization: Bearer TOKEN' with a token that this registry knows",
      { field: 'authorization' },
    );
  }
}

function rateLimitOf({ maxPerSecond = 0, rateGroup: groupId = 'writes' }: BindOptions) {
  return maxPerSecond === 0 ? false : { max: maxPerSecond, timeWindow: 1_000, groupId };
}

/** The media types of a body, for the API documentation. */
const BODY_TYPES = {
  manifest: ['application/yaml', 'application/json'],
  'merge-patch': ['application/merge-patch+json', 'application/json'],
  export: ['application/json'],
} as const;

function schemaOf(route: Route, name: string, summary: string) {
  const { params, query, body, bodyType, reply } = route;
  const isJson = reply.body !== null && reply.body !== 'stream';
  return {
    operationId: name,
    summary,
    ...(params === undefined ? {} : { params }),
    ...(query === undefined ? {} : { querystring: query }),
    ...(body === undefined ? {} : { body }),
    ...(bodyType === undefined ? {} : { consumes: BODY_TYPES[bodyType] }),
    response: { ...(isJson ? { [reply.status]: reply.body } : {}), '4xx': Problem, '5xx': Problem },
  };
}

/** The namespace of a call, from its path or query, or `*`. Not checked yet: an invalid name is refused later. */
function namespaceOf({ params, query }: FastifyRequest): string {
  const { ns } = params as { readonly ns?: string };
  const { namespace } = query as { readonly namespace?: unknown };
  return ns ?? (typeof namespace === 'string' ? namespace : 'default');
}

/** Throws `forbidden` when a token covers too little. The service of a register scope is checked later. */
function checkScope(grants: Grants, scope: Route['scope'], namespace: string): void {
  const { isAdmin, register } = grants;
  if (scope === 'secrets') {
    checkSecrets(grants, namespace);
    return;
  }
  const isOfNamespace = scope === 'read' || scope === 'report';
  const isCovered =
    isAdmin ||
    scope === 'none' ||
    (isOfNamespace && mayEnter(grants, scope, namespace)) ||
    ((scope === 'register' || scope === 'lease') && register.size > 0);
  if (isCovered) return;
  const needed = isOfNamespace
    ? `${scope}:${namespace}`
    : scope === 'admin'
      ? scope
      : 'register:NAMESPACE/SERVICE';
  throw new ProblemError('forbidden', `the token does not cover ${needed}`, {
    field: 'authorization',
  });
}

/** Throws `forbidden` unless a token has the scope for this alone. */
function checkSecrets(grants: Grants, namespace: string): void {
  if (mayReadSecrets(grants, namespace)) return;
  const message =
    grants === EVERYTHING
      ? 'without tokens nobody may read what Secrets hold: start the registry with a token that covers'
      : 'the token does not cover';
  throw new ProblemError('forbidden', `${message} secrets:${namespace}`, {
    field: 'authorization',
  });
}

/** A stream writes to the bare connection, so no earlier answer may still be due there. Throws when one is. */
function checkTurn({ raw }: FastifyReply): void {
  if (raw.socket !== null) return;
  const message = 'expected a stream on a connection without other requests under way';
  throw new ProblemError('invalid_request', message);
}

/** The address of the other end; for an IPv4 caller of a dual-stack server its IPv4 address. */
function peerOf({ socket }: IncomingMessage): string {
  const address = socket.remoteAddress ?? '127.0.0.1';
  const mapped = address.startsWith('::ffff:') ? address.slice(7) : address;
  return isIPv4(mapped) ? mapped : address;
}
