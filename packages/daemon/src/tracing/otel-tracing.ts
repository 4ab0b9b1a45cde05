import type * as api from '@opentelemetry/api';
import type { OpenSpan, SpanAttributes, SpanEnd, Tracing } from './tracing.ts';

export type OtelApi = typeof api;

/** The field that carries what the application says of a trace: passed on as it is. */
const BAGGAGE = 'baggage';

/** Traces over the providers that are registered with the API of OpenTelemetry. */
export class OtelTracing implements Tracing {
  readonly fields: readonly string[];
  readonly #api: OtelApi;
  readonly #tracer: api.Tracer;

  constructor(otel: OtelApi, scope: { readonly name: string; readonly version: string }) {
    this.#api = otel;
    this.#tracer = otel.trace.getTracer(scope.name, scope.version);
    this.fields = otel.propagation.fields().filter((name) => name !== BAGGAGE);
  }

  server(
    name: string,
    headers: Readonly<Record<string, string>>,
    attributes: SpanAttributes,
  ): OpenSpan {
    const { propagation, ROOT_CONTEXT, SpanKind } = this.#api;
    const parent = propagation.extract(ROOT_CONTEXT, headers);
    const span = this.#tracer.startSpan(name, { kind: SpanKind.SERVER, attributes }, parent);
    return new OtelSpan(this.#api, this.#tracer, { span, parent });
  }
}

class OtelSpan implements OpenSpan {
  readonly #api: OtelApi;
  readonly #tracer: api.Tracer;
  readonly #span: api.Span;
  readonly #context: api.Context;

  constructor(
    otel: OtelApi,
    tracer: api.Tracer,
    { span, parent }: { readonly span: api.Span; readonly parent: api.Context },
  ) {
    this.#api = otel;
    this.#tracer = tracer;
    this.#span = span;
    this.#context = otel.trace.setSpan(parent, span);
  }

  headers(): Readonly<Record<string, string>> {
    const headers: Record<string, string> = {};
    this.#api.propagation.inject(this.#context, headers);
    return Object.fromEntries(
      Object.entries(headers).filter(([name]) => name.toLowerCase() !== BAGGAGE),
    );
  }

  client(name: string, attributes: SpanAttributes): OpenSpan {
    const kind = this.#api.SpanKind.CLIENT;
    const parent = this.#context;
    const span = this.#tracer.startSpan(name, { kind, attributes }, parent);
    return new OtelSpan(this.#api, this.#tracer, { span, parent });
  }

  end({ attributes, error }: SpanEnd): void {
    this.#span.setAttributes(attributes);
    if (error !== '') {
      this.#span.setAttribute('error.type', error);
      this.#span.setStatus({ code: this.#api.SpanStatusCode.ERROR });
    }
    this.#span.end();
  }
}
