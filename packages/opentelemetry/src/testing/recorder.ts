import { context, type Context, propagation, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import {
  CompositePropagator,
  W3CBaggagePropagator,
  W3CTraceContextPropagator,
} from '@opentelemetry/core';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import {
  AlwaysOnSampler,
  InMemorySpanExporter,
  ParentBasedSampler,
  type ReadableSpan,
  SimpleSpanProcessor,
  type SpanProcessor,
  TracerProvider,
} from '@opentelemetry/sdk-trace';

/** The SDK of OpenTelemetry as an application sets it up, with all spans and metrics in memory. */
export class Recorder {
  readonly tracerProvider: TracerProvider;
  readonly meterProvider: MeterProvider;
  readonly #spans = new InMemorySpanExporter();
  readonly #metrics = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);

  /** Registers context manager and propagators with the API. */
  constructor(more: readonly SpanProcessor[] = []) {
    this.tracerProvider = new TracerProvider({
      sampler: new ParentBasedSampler({ root: new AlwaysOnSampler() }),
      spanProcessors: [new SimpleSpanProcessor({ exporter: this.#spans }), ...more],
    });
    const exporter = this.#metrics;
    const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
    this.meterProvider = new MeterProvider({ readers: [reader] });
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
    const propagators = [new W3CTraceContextPropagator(), new W3CBaggagePropagator()];
    propagation.setGlobalPropagator(new CompositePropagator({ propagators }));
  }

  /** The spans that ended, in that order. */
  get spans(): readonly ReadableSpan[] {
    return this.#spans.getFinishedSpans();
  }

  /** The values of a metric, with their attributes. */
  async metric(name: string): Promise<readonly { attributes: object; value: unknown }[]> {
    this.#metrics.reset();
    await this.meterProvider.forceFlush();
    const all = this.#metrics.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics);
    const found = all.flatMap(({ metrics }) => metrics).find((one) => one.descriptor.name === name);
    return found?.dataPoints ?? [];
  }

  /** Runs `act` inside a span of the application. */
  async within<T>(act: () => Promise<T>): Promise<T> {
    const span = this.tracerProvider.getTracer('app').startSpan('app');
    try {
      return await context.with(trace.setSpan(context.active(), span), act);
    } finally {
      span.end();
    }
  }

  async close(): Promise<void> {
    context.disable();
    propagation.disable();
    await this.tracerProvider.shutdown();
    await this.meterProvider.shutdown();
  }
}

/** A context in which a request came in with this `traceparent` and baggage. */
export function incoming(traceparent: string, baggage = ''): Context {
  return propagation.extract(context.active(), { traceparent, baggage });
}
