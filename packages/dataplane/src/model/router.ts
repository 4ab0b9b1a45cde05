import type { Target, TargetClient, TargetGroup } from './target.ts';

/** What a request asks for. Valid only during the call: the object is reused for the next request. */
export interface RequestLine {
  readonly method: string;
  /** Lower case, without port and without trailing dot; empty when an HTTP/1.0 client sent none. */
  readonly host: string;
  /** Path and query as sent, without the scheme and host of an absolute URL; at least `/`. */
  readonly target: string;
  /** The path of `target`, without its query: neither decoded nor normalised. */
  readonly path: string;
  readonly clientAddress: string;
}

/** A request as routing sees it. Valid only during the call. */
export interface RequestView extends RequestLine {
  /** Name of the rule that takes it; whoever routes writes it here, for the log. */
  rule: string;
  /** The id that it has got; empty if requests get none. */
  readonly requestId: string;
  /** It came over TLS. */
  readonly isSecure: boolean;
  /**
   * The value of a header field, `name` in lower case; several lines are joined by `, `. Undefined: the request has none.
   */
  field(name: string): string | undefined;
}

/** What is changed in the fields of a message. Fields that frame it, or are for one connection, cannot be among them. */
export interface FieldEdits {
  /** Names of fields that are not passed on, in lower case. */
  readonly removed?: ReadonlySet<string> | undefined;
  /** Lines that are added, each with its end. */
  readonly lines?: Uint8Array | undefined;
}

/** What is changed in a request before a target gets it. */
export interface RequestEdits extends FieldEdits {
  /** Path and query, of visible ASCII, instead of those that were sent. */
  readonly target?: string | undefined;
  /** Instead of the host that was sent, which X-Forwarded-Host still tells. */
  readonly host?: string | undefined;
}

/** Sends the request to the group. Create one object per rule where that is possible, not one per request. */
export interface Forward {
  readonly kind: 'forward';
  readonly group: TargetGroup;
  /** Who asks, for policies and stickiness that depend on it. */
  readonly client?: TargetClient | undefined;
  readonly edits?: RequestEdits | undefined;
  /** What is changed in the answer of a target. */
  readonly answerEdits?: ((target: Target) => FieldEdits | undefined) | undefined;
  /** Longest body, in bytes; of a body in chunks their framing counts too. @default any length */
  readonly bodyBytes?: number | undefined;
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
  /** For 429 and 503: when another try may succeed. @default 1 */
  readonly retryAfterSeconds?: number | undefined;
  /** Further header fields, as `Name: value`. */
  readonly fields?: readonly string[] | undefined;
}

/** What to do is not known yet, for example because somebody else is asked whether the client may do it. */
export interface Pending {
  readonly kind: 'pending';
  /**
   * Called once. `decide` must be called once, unless the returned function was called: then nobody waits any more. The
   * view of the request is not valid any more.
   */
  start(decide: (decision: Forward | Respond) => void): () => void;
}

export type Decision = Forward | Respond | Pending;

export interface Router {
  /** Called once per request; must neither block nor throw. */
  route(request: RequestView): Decision;
}
