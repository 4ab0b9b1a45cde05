import type { FastifyReply } from 'fastify';
import type { Committed } from '../writes/committed.ts';

/** The body of the answer to a write that the store has. The header says whether reads from this server already show it. */
export function answer<T>(reply: FastifyReply, { value, isApplied }: Committed<T>): T {
  reply.header('rollcall-applied', String(isApplied));
  return value;
}
