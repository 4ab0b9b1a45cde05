/** Attributes of a span, by the names of the semantic conventions. */
export type SpanAttributes = Readonly<Record<string, string | number>>;

/** What came of what a span stands for. */
export interface SpanEnd {
  readonly attributes: SpanAttributes;
  /** `error.type`: what went wrong, in one word. Empty = nothing. */
  readonly error: string;
}

/** Something that takes time, as part of a trace. None of its methods throws. */
export interface OpenSpan {
  /** What a request that is sent because of it carries: header fields with lower-case names. */
  headers(): Readonly<Record<string, string>>;
  /** A request that is sent because of it. */
  client(name: string, attributes: SpanAttributes): OpenSpan;
  /** To be called once. */
  end(end: SpanEnd): void;
}

/** The traces of a program. */
export interface Tracing {
  /** Header fields that carry the trace of a request, with lower-case names. */
  readonly fields: readonly string[];
  /** A request that came in: part of the trace that its `headers` name, else the first span of a new one. */
  server(
    name: string,
    headers: Readonly<Record<string, string>>,
    attributes: SpanAttributes,
  ): OpenSpan;
}
