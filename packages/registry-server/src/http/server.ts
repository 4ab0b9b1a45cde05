import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import rateLimit from '@fastify/rate-limit';
import swagger from '@fastify/swagger';
import { PROBLEM_MEDIA_TYPE, ProblemError } from '@rollcall/contract';
import { type BrowserGuard, guardBrowsers, type Tracing } from '@rollcall/daemon';
import { isTooDeep } from '@rollcall/manifests';
import Fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyRequest,
  type FastifyServerOptions,
  LogController,
} from 'fastify';
import {
  jsonSchemaTransform,
  jsonSchemaTransformObject,
  serializerCompiler,
} from 'fastify-type-provider-zod';
import type { z } from 'zod';
import type { Clock, Random } from '@rollcall/runtime';
import { clientErrorHandler } from './client-errors.ts';
import { ByCaller } from './load/by-caller.ts';
import { guardLoad } from './load/guard-load.ts';
import type { LoadGate } from './load/load-gate.ts';
import { RetryAfterQueue } from './load/rate-limiter.ts';
import { onError, sendProblem } from './problems.ts';
import { traceRequests } from './trace-requests.ts';
import { onUnrouted } from './unrouted.ts';
import { problemOf } from './validation.ts';

/** Longer path parts are refused unread. */
const MAX_PARAM_LENGTH = 512;

/** How long a whole request may take to arrive, in ms. */
const REQUEST_TIMEOUT_MS = 15_000;

/** How long the head of a request may take to arrive, in ms. */
const HEAD_TIMEOUT_MS = 10_000;

/** No rate limit headers: only refused callers need them, and the problem reply sets Retry-After. */
const QUIET = {
  'x-ratelimit-limit': false,
  'x-ratelimit-remaining': false,
  'x-ratelimit-reset': false,
  'retry-after': false,
};

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The reply is an endless stream. */
    isStream?: boolean;
    /** What the body may be besides JSON. */
    bodyType?: 'manifest' | 'merge-patch' | 'export' | undefined;
  }
}

export interface HttpOptions {
  readonly logger: FastifyBaseLogger;
  readonly maxBodyBytes: number;
  readonly https?: { key: Buffer; cert: Buffer; ca?: Buffer; requestCert?: boolean } | undefined;
  readonly version: string;
  /** Whether it serves the pages of its API at `/docs`. */
  readonly hasDocs: boolean;
  /** Identifies a caller with a valid token; undefined = its address identifies it. */
  readonly callerKey: (authorization: string | undefined) => string | undefined;
  /** Limit per caller; 0 = no limit. */
  readonly maxWritesPerSecond: number;
  /** Keeps web pages of other origins out. */
  readonly browserGuard: BrowserGuard;
  readonly gate: LoadGate;
  readonly clock: Clock;
  readonly random: Random;
  /** Makes spans of requests. @default none */
  readonly tracing?: Tracing | undefined;
}

const TOO_DEEP = 'expected a JSON body of at most 64 levels';
const JSON_EXPECTED = "expected the header 'content-type: application/json'";

/** Refuses a path part that is too long for any name before routing. */
function onMaxParamLength(_path: string, _params: unknown, response: unknown): void {
  const message = `expected path parts of at most ${MAX_PARAM_LENGTH} characters`;
  const problem = new ProblemError('uri_too_long', message);
  const raw = response as ServerResponse;
  raw.writeHead(problem.status, { 'content-type': PROBLEM_MEDIA_TYPE });
  raw.end(JSON.stringify(problem.toProblem()));
}

/** A Fastify server that answers every fault with a problem document and serves its own OpenAPI. */
export async function buildServer(options: HttpOptions): Promise<FastifyInstance> {
  const { logger, maxBodyBytes, https, version, browserGuard, gate, random, clock } = options;
  const base: FastifyServerOptions = {
    loggerInstance: logger,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: maxBodyBytes,
    requestTimeout: REQUEST_TIMEOUT_MS,
    forceCloseConnections: 'idle',
    exposeHeadRoutes: false,
    frameworkErrors: (_error, _request, reply) => {
      const message = 'expected a path with valid percent-encoding';
      void sendProblem(reply, new ProblemError('invalid_request', message));
    },
    clientErrorHandler: clientErrorHandler(clock),
    routerOptions: { maxParamLength: MAX_PARAM_LENGTH, onMaxParamLength },
  };
  // The guard answers requests without Host, in our words.
  const own = {
    requireHostHeader: false,
    // Node.js swaps the two timeouts when this one is the longer, and by default checks them only every 30 s.
    headersTimeout: HEAD_TIMEOUT_MS,
    connectionsCheckingInterval: 1_000,
  };
  const app = Fastify({
    ...base,
    ...(https === undefined ? { http: own } : { https: { ...https, ...own } }),
  } as FastifyServerOptions);
  app.setValidatorCompiler(({ schema }) => (data) => {
    const result = (schema as z.ZodType).safeParse(data);
    return result.success
      ? { value: result.data }
      : { error: problemOf(result.error.issues, data) };
  });
  app.setSerializerCompiler(serializerCompiler);
  guardBrowsers(app, browserGuard, (reply, { code, message, field }) =>
    sendProblem(reply, new ProblemError(code, message, { field })),
  );
  guardLoad(app, gate, random);
  // What is refused above costs no span.
  if (options.tracing !== undefined) traceRequests(app, options.tracing);
  guardStreams(app);
  app.setErrorHandler(onError);
  app.setNotFoundHandler(onUnrouted);
  parseJson(app);
  takeManifests(app);
  refuseExpectations(app);
  await limitRates(app, options);
  await describe(app, version);
  if (options.hasDocs) await showDocs(app);
  return app;
}

/** Each refused caller gets its own Retry-After, so that retries do not arrive together. */
async function limitRates(app: FastifyInstance, options: HttpOptions): Promise<void> {
  const { callerKey, maxWritesPerSecond, gate, clock } = options;
  const keyOf = (request: FastifyRequest) => callerKey(request.headers.authorization) ?? request.ip;
  const queues = new ByCaller(() => new RetryAfterQueue(clock, maxWritesPerSecond));
  await app.register(rateLimit, {
    global: false,
    addHeaders: QUIET,
    addHeadersOnExceeding: QUIET,
    keyGenerator: keyOf,
    errorResponseBuilder: (request, { max }) => {
      gate.refusals.count('write_rate');
      const message = `expected at most ${max} writes in a second from one caller`;
      const retryAfterSeconds = queues.getOrCreate(keyOf(request)).takePlace();
      return new ProblemError('rate_limited', message, { retryAfterSeconds });
    },
  });
}

/**
 * A stream takes over its connection. A request behind it could never be answered, so it must not change anything
 * either: the connection is closed before the request is carried out.
 */
function guardStreams(app: FastifyInstance): void {
  const taken = new WeakSet<Socket>();
  app.addHook('onRequest', (request, reply, done) => {
    const { socket } = request.raw;
    if (taken.has(socket)) {
      reply.hijack();
      socket.destroy();
      return;
    }
    if (request.routeOptions.config.isStream === true) taken.add(socket);
    done();
  });
  app.addHook('onRoute', (route) => {
    if (route.config?.isStream !== true) return;
    // Only a refused stream is answered like other requests.
    route.onSend = (request, _reply, _payload, done) => {
      taken.delete(request.raw.socket);
      done();
    };
  });
}

/** `Expect:` may only ask for 100-continue. */
function refuseExpectations(app: FastifyInstance): void {
  app.server.on('checkExpectation', (_request: unknown, response: ServerResponse) => {
    const message = "expected no header 'expect', or 'expect: 100-continue'";
    const problem = new ProblemError('expectation_failed', message, { field: 'expect' });
    response.writeHead(problem.status, { 'content-type': PROBLEM_MEDIA_TYPE });
    response.end(JSON.stringify(problem.toProblem()));
  });
}

/** An empty body counts as none, since some clients always send the content type, even with DELETE. */
function parseJson(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  app.removeAllContentTypeParsers();
  const types = ['application/json', 'application/merge-patch+json'];
  app.addContentTypeParser(types, { parseAs: 'string' }, (request, text, done) => {
    const { bodyType } = request.routeOptions.config;
    if (isText(bodyType)) done(null, text);
    else if (text === '') done(null, undefined);
    else if (isTooDeep(text as string)) done(new ProblemError('malformed_json', TOO_DEEP));
    else void parse(request, text as string, done);
  });
}

/** Their handlers parse these bodies themselves, to report what is wrong and where. */
function isText(bodyType: string | undefined): boolean {
  return bodyType === 'manifest' || bodyType === 'export';
}

/** Manifests are passed on as text: the answer names the place of a mistake in it. */
function takeManifests(app: FastifyInstance): void {
  // No type that a web page may send to other origins without a preflight, such as text/plain.
  app.addContentTypeParser('application/yaml', { parseAs: 'string' }, (request, text, done) => {
    if (isText(request.routeOptions.config.bodyType)) done(null, text);
    else done(new ProblemError('unsupported_media_type', JSON_EXPECTED));
  });
}

async function describe(app: FastifyInstance, version: string): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Rollcall registry',
        version,
        description:
          'Instances register, heartbeat and leave; callers read and watch. Errors are application/problem+json.',
      },
      components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
    },
    transform: jsonSchemaTransform,
    transformObject: jsonSchemaTransformObject,
  });
}

/** Loaded only where it is shown: it takes a while, and runners of tests that cannot load all of it need not. */
async function showDocs(app: FastifyInstance): Promise<void> {
  const { default: swaggerUi } = await import('@fastify/swagger-ui');
  await app.register(swaggerUi, { routePrefix: '/docs' });
}
