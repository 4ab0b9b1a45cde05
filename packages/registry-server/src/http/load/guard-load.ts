import { PROBLEM_MEDIA_TYPE, ProblemError } from '@rollcall/contract';
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { Random } from '@rollcall/runtime';
import type { LoadGate, Priority, Turn } from './load-gate.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What is shed first. @default 'read' */
    priority?: Priority;
  }
  interface FastifyRequest {
    /** Set on what counts as under way. */
    turn: Turn | undefined;
  }
}

/** Those refused come back over so many seconds, from the first one on, not together. */
const SPREAD_SECONDS = 4;

const OVERLOADED = new ProblemError(
  'overloaded',
  'this server has more to do than it can: come back after Retry-After, or ask another one',
);
const BODY = Buffer.from(JSON.stringify(OVERLOADED.toProblem()));

/**
 * Refuses what there is no room for, before tokens, bodies or schemas are looked at. To be called before any other hook
 * is added: what is refused must cost next to nothing.
 */
export function guardLoad(app: FastifyInstance, gate: LoadGate, random: Random): void {
  app.decorateRequest('turn', undefined);
  app.addHook('onRequest', (request, reply, done) => {
    const { priority = 'read', isStream } = request.routeOptions.config;
    if (gate.refuses(priority)) {
      refuse(reply, random);
      return;
    }
    // A stream is under way for good: streams have limits of their own.
    if (priority !== 'always' && isStream !== true) {
      const turn = gate.enter();
      request.turn = turn;
      reply.raw.once('close', () => turn.close());
    }
    done();
  });
}

/** On the bare response, encoded beforehand. */
function refuse(reply: FastifyReply, random: Random): void {
  reply.hijack();
  reply.raw.writeHead(OVERLOADED.status, {
    'content-type': PROBLEM_MEDIA_TYPE,
    'content-length': BODY.length,
    'retry-after': String(1 + Math.floor(random.share() * SPREAD_SECONDS)),
  });
  reply.raw.end(BODY);
}
