import type { TargetGroup } from './target.ts';

/** A request as routing sees it. Valid only during the call: the object is reused for the next request. */
export interface RequestView {
  readonly method: string;
  /** Lower case, without port and without trailing dot; empty when an HTTP/1.0 client sent none. */
  readonly host: string;
  /** Path and query as sent, without the scheme and host of an absolute URL; at least `/`. */
  readonly target: string;
  /** The path of `target`, without its query: neither decoded nor normalised. */
  readonly path: string;
  readonly clientAddress: string;
}

/** Sends the request to the group. Create one object per rule, not one per request. */
export interface Forward {
  readonly kind: 'forward';
  readonly group: TargetGroup;
}

/** Answers the request without a target. */
export interface Respond {
  readonly kind: 'respond';
  readonly status: number;
  /** Machine-readable reason: in the body, in the `Rollcall-Reason` header and in the log. */
  readonly code: string;
  readonly detail: string;
  /** Details for the log, which only operators may see. */
  readonly cause?: string | undefined;
  /** Where a redirected client finds what it asked for: a URL of visible ASCII. */
  readonly location?: string | undefined;
  /** Replaces the problem document made from code and detail. */
  readonly content?: { readonly type: string; readonly body: string } | undefined;
}

export interface Router {
  /** Called once per request; must neither block nor throw. */
  route(request: RequestView): Forward | Respond;
}
