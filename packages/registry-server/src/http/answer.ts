import type { FastifyReply } from 'fastify';
import type { Committed } from '../writes/committed.ts';

/** A write is done when the store has it. The header says whether this server's own reads already show it. */
export function answer<T>(reply: FastifyReply, { value, isApplied }: Committed<T>): T {
  reply.header('rollcall-applied', String(isApplied));
  return value;
}
