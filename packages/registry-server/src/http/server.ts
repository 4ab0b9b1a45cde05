import type { Socket } from 'node:net';
import rateLimit from '@fastify/rate-limit';
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import { PROBLEM_MEDIA_TYPE, type ProblemCode, ProblemError } from '@rollcall/contract';
import Fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyServerOptions,
} from 'fastify';
import {
  jsonSchemaTransform,
  jsonSchemaTransformObject,
  serializerCompiler,
} from 'fastify-type-provider-zod';
import type { z } from 'zod';
import { onError, sendProblem } from './problems.ts';
import { onUnrouted } from './unrouted.ts';
import { problemOf } from './validation.ts';

/** Longer path parts are refused before they are looked at. */
const MAX_PARAM_LENGTH = 512;

/** How long a request may take to arrive whole, in ms. */
const REQUEST_TIMEOUT_MS = 15_000;

export interface HttpOptions {
  readonly logger: FastifyBaseLogger;
  readonly maxBodyBytes: number;
  readonly https?: { key: Buffer; cert: Buffer; ca?: Buffer; requestCert?: boolean } | undefined;
  readonly version: string;
}

const CLIENT_ERRORS: Readonly<Record<string, readonly [ProblemCode, string]>> = {
  HPE_HEADER_OVERFLOW: ['headers_too_large', 'expected a request head of at most 16 kB'],
  ERR_HTTP_REQUEST_TIMEOUT: ['invalid_request', 'expected the whole request within 15 s'],
};

/** What is no HTTP request at all is answered on the bare socket. */
function onClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable || socket.bytesWritten > 0) {
    socket.destroy(error);
    return;
  }
  const fallback = ['invalid_request', 'expected an HTTP/1.1 request'] as const;
  const [code, message] = CLIENT_ERRORS[error.code ?? ''] ?? fallback;
  const problem = new ProblemError(code, message);
  const body = JSON.stringify(problem.toProblem());
  socket.end(
    `HTTP/1.1 ${problem.status} ${code}\r\nconnection: close\r\ncontent-type: ${PROBLEM_MEDIA_TYPE}\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

/** A Fastify server that answers every fault with a problem document and knows its own OpenAPI. */
export async function buildServer(options: HttpOptions): Promise<FastifyInstance> {
  const { logger, maxBodyBytes, https, version } = options;
  const base: FastifyServerOptions = {
    loggerInstance: logger,
    disableRequestLogging: true,
    bodyLimit: maxBodyBytes,
    requestTimeout: REQUEST_TIMEOUT_MS,
    forceCloseConnections: true,
    exposeHeadRoutes: false,
    frameworkErrors: (error, _, reply) => {
      const problem =
        error.code === 'FST_ERR_MAX_PARAM_LENGTH' || error.code === 'FST_ERR_ASYNC_CONSTRAINT'
          ? new ProblemError(
              'uri_too_long',
              `expected path parts of at most ${MAX_PARAM_LENGTH} characters`,
            )
          : new ProblemError('invalid_request', 'expected a path with valid percent-encoding');
      return sendProblem(reply, problem);
    },
    clientErrorHandler: onClientError,
    routerOptions: {
      maxParamLength: MAX_PARAM_LENGTH,
      onMaxParamLength: (path: string, _: unknown, response: unknown) => {
        void path;
        const body = JSON.stringify(
          new ProblemError(
            'uri_too_long',
            `expected path parts of at most ${MAX_PARAM_LENGTH} characters`,
          ).toProblem(),
        );
        const raw = response as { writeHead(s: number, h: object): void; end(b: string): void };
        raw.writeHead(414, { 'content-type': PROBLEM_MEDIA_TYPE });
        raw.end(body);
      },
    },
  };
  const app = Fastify({
    ...base,
    ...(https === undefined ? {} : { https }),
  } as FastifyServerOptions);
  app.setValidatorCompiler(({ schema }) => (data) => {
    const result = (schema as z.ZodType).safeParse(data);
    return result.success
      ? { value: result.data }
      : { error: problemOf(result.error.issues, data) };
  });
  app.setSerializerCompiler(serializerCompiler);
  app.setErrorHandler(onError);
  app.setNotFoundHandler(onUnrouted);
  parseJson(app);
  await app.register(rateLimit, {
    global: false,
    keyGenerator: (request) => request.headers.authorization ?? request.ip,
    errorResponseBuilder: (_, { max }) =>
      new ProblemError(
        'rate_limited',
        `expected at most ${max} writes in a second from one caller`,
      ),
  });
  await describe(app, version);
  return app;
}

/** An empty body is none: clients that always send the content type may delete. */
function parseJson(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, text, done) => {
    if (text === '') done(null, undefined);
    else void parse(request, text as string, done);
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
