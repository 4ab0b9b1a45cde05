import type { FastifyReply } from 'fastify';

/** Why a request is refused (RFC 9457). */
export interface AdminProblem {
  readonly status: number;
  readonly code: string;
  readonly title: string;
  readonly detail: string;
  /** The wrong part of the request. */
  readonly field?: string;
  /** Each fault, where there are several. */
  readonly errors?: readonly string[];
}

export function sendProblem(reply: FastifyReply, problem: AdminProblem): FastifyReply {
  return reply.code(problem.status).type('application/problem+json').send(JSON.stringify(problem));
}
