import { hintOf, type Route, type RouteName, ROUTES } from '@rollcall/contract';
import { z } from 'zod';
import { abortSignal, durationMs } from '../api/option-kinds.ts';
import { invalidOption, parseOptions } from '../base/parse-options.ts';

type RouteOf<N extends RouteName> = (typeof ROUTES)[N];

/** API calls with a single response body; streams have methods of their own. */
export type CallName = {
  [N in RouteName]: RouteOf<N>['reply']['body'] extends 'stream' ? never : N;
}[RouteName];

/** Response type of an API call. */
export type ReplyOf<N extends RouteName> =
  RouteOf<N>['reply']['body'] extends z.ZodType<infer R> ? R : undefined;

type Params<N extends RouteName> =
  RouteOf<N> extends { readonly params: infer S extends z.ZodType }
    ? { readonly params: Readonly<z.input<S>> }
    : { readonly params?: never };

/** Switches are booleans and counts are numbers. An omitted or undefined parameter has its default. */
type Query<N extends RouteName> =
  RouteOf<N> extends { readonly query: infer S extends z.ZodType }
    ? { readonly query?: { readonly [K in keyof z.output<S>]?: z.output<S>[K] | undefined } }
    : { readonly query?: never };

/** The client only reads what it sends. */
type DeepReadonly<T> = T extends readonly (infer U)[]
  ? readonly DeepReadonly<U>[]
  : T extends object
    ? { readonly [K in keyof T]: DeepReadonly<T[K]> }
    : T;

/** Manifests and exports are texts; everything else is sent as JSON. */
type Body<N extends RouteName> =
  RouteOf<N> extends { readonly body: infer S extends z.ZodType }
    ? { readonly body: DeepReadonly<z.input<S>> }
    : { readonly body?: never };

interface Limits {
  readonly signal?: AbortSignal;
  /**
   * Timeout for each server's complete response, in ms; a read that has begun may take ten times as long. @default
   * the client's `requestTimeoutMs`
   */
  readonly timeoutMs?: number;
}

/** The arguments of an API call, as its route in the contract defines them. */
export type CallRequest<N extends RouteName> = Params<N> & Query<N> & Body<N> & Limits;

/** The request may be omitted when nothing in it is required. */
export type CallArguments<N extends RouteName> =
  Partial<CallRequest<N>> extends CallRequest<N>
    ? [request?: CallRequest<N>]
    : [request: CallRequest<N>];

type QueryValue = string | number | boolean | readonly (string | number)[];

/** A request of any route, in the form in which it is sent. */
export interface AnyCallRequest extends Limits {
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, QueryValue | undefined>>;
  readonly body?: unknown;
}

const schemas = new Map<string, z.ZodType>();

function schemaOf(name: string, { params, query }: Route): z.ZodType {
  const known = schemas.get(name);
  if (known !== undefined) return known;
  const made = z.strictObject({
    params: params ?? z.strictObject({}).optional(),
    query: (query ?? z.strictObject({})).optional(),
    // The server validates the body: only the server knows its limits.
    body: z.unknown().optional(),
    signal: abortSignal().optional(),
    timeoutMs: durationMs(1, 600_000).optional(),
  });
  schemas.set(name, made);
  return made;
}

/**
 * Checks what the compiler cannot, e.g. for callers in JavaScript. Throws a RollcallError that names the fault.
 */
export function checkCall(name: string, request: unknown): void {
  const route = Object.hasOwn(ROUTES, name) ? (ROUTES[name as RouteName] as Route) : undefined;
  if (route === undefined || route.reply.body === 'stream') {
    const hint = hintOf(name, Object.keys(ROUTES));
    throw invalidOption(`call: there is no such call '${name}'${hint}`);
  }
  const isObject = typeof request === 'object' && request !== null;
  const { query } = (isObject ? request : {}) as AnyCallRequest;
  const given = query === undefined ? request : { ...(request as object), query: sentAs(query) };
  parseOptions(schemaOf(name, route), given);
}

/** A query object in the form in which the server reads it; other values unchanged. */
function sentAs(query: unknown): unknown {
  if (typeof query !== 'object' || query === null) return query;
  const given = Object.entries(query).filter(([, value]) => value !== undefined);
  return Object.fromEntries(
    given.map(([key, value]: [string, unknown]) => [
      key,
      Array.isArray(value) ? value.map(String) : String(value),
    ]),
  );
}

/** The query string, including `?`; empty when there are no parameters. */
export function queryOf(query: AnyCallRequest['query'] = {}): string {
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined) continue;
    for (const one of Array.isArray(value) ? value : [value]) given.append(name, String(one));
  }
  return given.size === 0 ? '' : `?${given.toString()}`;
}
