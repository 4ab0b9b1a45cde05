import { PROBLEM_MEDIA_TYPE, ProblemError } from '@rollcall/contract';
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { Random } from '@rollcall/runtime';
import type { LoadGate, Priority, Turn } from './load-gate.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Decides what is refused first under overload. @default 'read' */
    priority?: Priority;
  }
  interface FastifyRequest {
    /** Set on requests that count as under way. */
    turn: Turn | undefined;
  }
}

/** Refused callers are told to come back at random within this many seconds, so that they do not return together. */
const SPREAD_SECONDS = 4;

const OVERLOADED = new ProblemError(
  'overloaded',
  'this server is overloaded: try again after Retry-After, or ask another server',
);
const BODY = Buffer.from(JSON.stringify(OVERLOADED.toProblem()));

/**
 * Refuses requests that there is no room for, before it looks at tokens, bodies or schemas. Call this before any other
 * hook is added: a refusal must cost next to nothing.
 */
export function guardLoad(app: FastifyInstance, gate: LoadGate, random: Random): void {
  app.decorateRequest('turn', undefined);
  app.addHook('onRequest', (request, reply, done) => {
    const { priority = 'read', isStream } = request.routeOptions.config;
    if (gate.refuses(priority)) {
      refuse(reply, random);
      return;
    }
    // A stream would stay under way as long as it is open. Streams have limits of their own.
    if (priority !== 'always' && isStream !== true) {
      const turn = gate.enter();
      request.turn = turn;
      reply.raw.once('close', () => turn.close());
    }
    done();
  });
}

/** Answers on the bare response, with a body that was encoded in advance. */
function refuse(reply: FastifyReply, random: Random): void {
  reply.hijack();
  reply.raw.writeHead(OVERLOADED.status, {
    'content-type': PROBLEM_MEDIA_TYPE,
    'content-length': BODY.length,
    'retry-after': String(1 + Math.floor(random.share() * SPREAD_SECONDS)),
  });
  reply.raw.end(BODY);
}
