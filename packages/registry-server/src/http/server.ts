import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import rateLimit from '@fastify/rate-limit';
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import { PROBLEM_MEDIA_TYPE, ProblemError } from '@rollcall/contract';
import { type BrowserGuard, guardBrowsers } from '@rollcall/daemon';
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
import { ReturnQueue } from './load/pace.ts';
import { onError, sendProblem } from './problems.ts';
import { onUnrouted } from './unrouted.ts';
import { problemOf } from './validation.ts';

/** Longer path parts are refused before they are looked at. */
const MAX_PARAM_LENGTH = 512;

/** How long a request may take to arrive whole, in ms. */
const REQUEST_TIMEOUT_MS = 15_000;

/** How long its head may take, in ms. */
const HEAD_TIMEOUT_MS = 10_000;

/** Headers that only the refused need, and the problem carries Retry-After. */
const QUIET = {
  'x-ratelimit-limit': false,
  'x-ratelimit-remaining': false,
  'x-ratelimit-reset': false,
  'retry-after': false,
};

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The reply goes on for good. */
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
  /** What tells a caller with a valid token from others; undefined = its address does. */
  readonly callerKey: (authorization: string | undefined) => string | undefined;
  /** Of one caller; 0 = no limit. */
  readonly maxWritesPerSecond: number;
  /** Keeps strangers' web pages out. */
  readonly browserGuard: BrowserGuard;
  readonly gate: LoadGate;
  readonly clock: Clock;
  readonly random: Random;
}

const TOO_DEEP = 'expected a JSON body of at most 64 levels';
const JSON_EXPECTED = "expected the header 'content-type: application/json'";

/** A path part that no name can be is refused before the routes are asked. */
function onMaxParamLength(_path: string, _params: unknown, response: unknown): void {
  const message = `expected path parts of at most ${MAX_PARAM_LENGTH} characters`;
  const problem = new ProblemError('uri_too_long', message);
  const raw = response as ServerResponse;
  raw.writeHead(problem.status, { 'content-type': PROBLEM_MEDIA_TYPE });
  raw.end(JSON.stringify(problem.toProblem()));
}

/** A Fastify server that answers every fault with a problem document and knows its own OpenAPI. */
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
  // Without Host the guard answers, in words of ours.
  const own = {
    requireHostHeader: false,
    // Node.js swaps the two when the head may take longer than all of it, and looks every 30 s.
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
  guardStreams(app);
  app.setErrorHandler(onError);
  app.setNotFoundHandler(onUnrouted);
  parseJson(app);
  takeManifests(app);
  refuseExpectations(app);
  await limitRates(app, options);
  await describe(app, version);
  return app;
}

/** Who is refused is told a time of his own to come back, so that not all of a caller's requests return together. */
async function limitRates(app: FastifyInstance, options: HttpOptions): Promise<void> {
  const { callerKey, maxWritesPerSecond, gate, clock } = options;
  const keyOf = (request: FastifyRequest) => callerKey(request.headers.authorization) ?? request.ip;
  const queues = new ByCaller(() => new ReturnQueue(clock, maxWritesPerSecond));
  await app.register(rateLimit, {
    global: false,
    addHeaders: QUIET,
    addHeadersOnExceeding: QUIET,
    keyGenerator: keyOf,
    errorResponseBuilder: (request, { max }) => {
      gate.refusals.count('write_rate');
      const message = `expected at most ${max} writes in a second from one caller`;
      const retryAfterSeconds = queues.of(keyOf(request)).next();
      return new ProblemError('rate_limited', message, { retryAfterSeconds });
    },
  });
}

/**
 * A stream takes its connection for itself. What is asked behind it could never be answered, so it must change nothing
 * either: the connection ends before any of it is carried out.
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
    // Only a stream that was refused is answered as other requests are.
    route.onSend = (request, _reply, _payload, done) => {
      taken.delete(request.raw.socket);
      done();
    };
  });
}

/** `Expect:` may ask for 100-continue alone. */
function refuseExpectations(app: FastifyInstance): void {
  app.server.on('checkExpectation', (_request: unknown, response: ServerResponse) => {
    const message = "expected no header 'expect', or 'expect: 100-continue'";
    const problem = new ProblemError('expectation_failed', message, { field: 'expect' });
    response.writeHead(problem.status, { 'content-type': PROBLEM_MEDIA_TYPE });
    response.end(JSON.stringify(problem.toProblem()));
  });
}

/** An empty body is none: clients that always send the content type may delete. */
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

/** Their handlers read these themselves, to say what is wrong and where. */
function isText(bodyType: string | undefined): boolean {
  return bodyType === 'manifest' || bodyType === 'export';
}

/** Manifests come as text: the place of a mistake in it is part of the answer. */
function takeManifests(app: FastifyInstance): void {
  // No type that a page may send to other origins without asking first, such as text/plain.
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
  await app.register(swaggerUi, { routePrefix: '/docs' });
}
