import type { RouteName, ROUTES } from '@rollcall/contract';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import type { Caller } from '../access/caller.ts';
import type { EventStream } from '../watch/stream.ts';
import type { Priority } from './load/load-gate.ts';

type OutputOf<T> = T extends z.ZodType ? z.output<T> : undefined;
type PartOf<N extends RouteName, P extends string> =
  (typeof ROUTES)[N] extends Record<P, infer T> ? OutputOf<T> : undefined;

/** A call that was checked against its route. */
export interface Call<N extends RouteName> {
  readonly params: PartOf<N, 'params'>;
  readonly query: PartOf<N, 'query'>;
  readonly body: PartOf<N, 'body'>;
  readonly caller: Caller;
  readonly reply: FastifyReply;
  readonly headers: FastifyRequest['headers'];
  /** Of a route whose reply is one: takes the connection over. Everything that can be refused is refused before. */
  readonly stream: () => EventStream;
  /** Whether the caller has hung up. */
  readonly isGone: () => boolean;
}

export interface BindOptions {
  /** Requests of one caller in a second; 0 = no limit. */
  readonly maxPerSecond?: number;
  /** The handler checks the parameters itself: for the heartbeat, where a schema costs as much as the work. */
  readonly skipsValidation?: boolean;
  /** Largest body; that of the server by default. */
  readonly maxBodyBytes?: number;
  /** What is shed first when there is too much to do. @default 'read' for GET, else 'write' */
  readonly priority?: Priority;
  /** The reply may have thousands of entries: checking each again costs more than making them. */
  readonly isLong?: boolean;
}

/** Takes the handlers of routes. */
export interface Binder {
  bind<N extends RouteName>(
    name: N,
    handle: (call: Call<N>) => Promise<unknown>,
    options?: BindOptions,
  ): void;
}
