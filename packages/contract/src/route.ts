import type { z } from 'zod';

/** One call of the API. The server registers it, and the client builds its requests from it. */
export interface Route {
  readonly method: 'GET' | 'PUT' | 'POST' | 'PATCH' | 'DELETE';
  /** With `:name` in place of each parameter. */
  readonly path: string;
  readonly summary: string;
  /** The scope that a token must cover; `none` needs no token. */
  readonly scope: 'none' | 'read' | 'register' | 'lease' | 'report' | 'secrets' | 'admin';
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly body?: z.ZodType;
  /** Form of the body. @default JSON */
  readonly bodyType?: 'manifest' | 'merge-patch' | 'export';
  /** Status of success and its body; null = no body, `stream` = server-sent events. */
  readonly reply: { readonly status: number; readonly body: z.ZodType | null | 'stream' };
}

/** Fills the parameters of a route's path, percent-encoded. Throws a TypeError when one is missing. */
export function pathOf(route: Route, params: Readonly<Record<string, string>> = {}): string {
  return route.path.replaceAll(/:([a-z]+)/g, (_, name: string) => {
    const value = params[name];
    if (value === undefined) throw new TypeError(`${route.path} needs a parameter '${name}'`);
    return encodeURIComponent(value);
  });
}
