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
  /** For a route that answers with a stream: takes the connection over. Refuse what can be refused before that. */
  readonly stream: () => EventStream;
  /** Whether the caller has closed the connection. */
  readonly isGone: () => boolean;
}

export interface BindOptions {
  /** Limit of requests per second of one caller; 0 = no limit. */
  readonly maxPerSecond?: number;
  /** Routes of one group share the limit. @default 'writes' */
  readonly rateGroup?: string;
  /** The handler checks the parameters itself: for the heartbeat, where a schema costs as much as the work. */
  readonly skipsValidation?: boolean;
  /** Largest body, in bytes. @default that of the server */
  readonly maxBodyBytes?: number;
  /** Decides what is refused first under overload. @default 'read' for GET, else 'write' */
  readonly priority?: Priority;
  /** The reply may have thousands of entries: checking them again costs more than building them. */
  readonly isLong?: boolean;
}

/** Registers the handlers of routes. */
export interface Binder {
  bind<N extends RouteName>(
    name: N,
    handle: (call: Call<N>) => Promise<unknown>,
    options?: BindOptions,
  ): void;
}
