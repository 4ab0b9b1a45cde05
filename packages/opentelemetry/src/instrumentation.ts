import { type MeterProvider, metrics, trace, type TracerProvider } from '@opentelemetry/api';
import type { RequestMessage } from '@rollcall/client-sdk';
import { systemClock } from '@rollcall/runtime';
import { CallSpans } from './calls/call-spans.ts';
import { Instruments } from './instruments.ts';
import { listen } from './listen.ts';
import { ownVersion } from './version.ts';

export interface RollcallInstrumentationConfig {
  /**
   * Whether it is on from the beginning. With false it costs nothing until `enable()`, which `registerInstrumentations`
   * calls. @default true
   */
  readonly enabled?: boolean;
}

/** Scope of the spans and metrics. */
const SCOPE = '@rollcall/opentelemetry';
const VERSION = ownVersion();

/**
 * Spans and metrics of everything that the clients of this process do, whenever they were created. An `Instrumentation`
 * as OpenTelemetry means it: for `registerInstrumentations`, for `NodeSDK`, or by itself.
 *
 * Throws a TypeError for wrong options.
 */
export class RollcallInstrumentation {
  readonly instrumentationName = SCOPE;
  readonly instrumentationVersion = VERSION;
  #config: RollcallInstrumentationConfig = {};
  #tracerProvider: TracerProvider | undefined;
  #meterProvider: MeterProvider | undefined;
  /** Made when something is measured first: the SDK is mostly started after the instrumentation was created. */
  #made: Instruments | undefined;
  #stop: (() => void) | undefined;

  constructor(config: RollcallInstrumentationConfig = {}) {
    this.setConfig(config);
    if (this.#config.enabled === true) this.enable();
  }

  /** On from now on. Does nothing when it is. */
  enable(): void {
    this.#stop ??= this.#listen();
  }

  /** Off from now on: the client builds nothing for it any more. Spans of calls under way are not ended. */
  disable(): void {
    this.#stop?.();
    this.#stop = undefined;
    this.#made?.registrations.close();
  }

  /** Instead of the global one, for calls that begin from now on. */
  setTracerProvider(tracerProvider: TracerProvider): void {
    this.#tracerProvider = tracerProvider;
  }

  /** Instead of the global one, from now on. */
  setMeterProvider(meterProvider: MeterProvider): void {
    this.#meterProvider = meterProvider;
    this.#made = undefined;
  }

  /** `enabled` has an effect only when the instrumentation is created. */
  setConfig(config: RollcallInstrumentationConfig): void {
    const { enabled = true } = config;
    if (typeof enabled !== 'boolean')
      throw new TypeError(`enabled: expected true or false, got ${String(enabled)}`);
    this.#config = { ...config, enabled };
  }

  getConfig(): RollcallInstrumentationConfig {
    return this.#config;
  }

  get #instruments(): Instruments {
    const provider = this.#meterProvider ?? metrics.getMeterProvider();
    return (this.#made ??= new Instruments(provider.getMeter(SCOPE, VERSION), systemClock));
  }

  #listen(): () => void {
    const ends = [...this.#listenToCalls(), ...this.#listenToState()];
    return () => {
      for (const end of ends) end();
    };
  }

  #listenToCalls(): (() => void)[] {
    const spans = new CallSpans(() =>
      (this.#tracerProvider ?? trace.getTracerProvider()).getTracer(SCOPE, VERSION),
    );
    const onTryOver = (message: RequestMessage) => {
      this.#instruments.calls.tryEnded(message);
      spans.tryEnded(message);
    };
    const onOver = (message: RequestMessage) => {
      this.#instruments.calls.tryEnded(message);
      spans.ended(message);
    };
    return [
      listen('rollcall:request:start', (message) => spans.started(message)),
      listen('rollcall:request:try', (message) => {
        this.#instruments.calls.tryStarted(message);
        spans.tryStarted(message);
      }),
      listen('rollcall:request:try-failed', onTryOver),
      // A try that was answered and is repeated nevertheless.
      listen('rollcall:request:retry', onTryOver),
      listen('rollcall:request:end', onOver),
      listen('rollcall:request:error', onOver),
      listen('rollcall:eject', (message) => this.#instruments.calls.ejected(message)),
    ];
  }

  #listenToState(): (() => void)[] {
    const on = (
      event: 'registered' | 'lost' | 'reregistered' | 'draining' | 'superseded' | 'deregistered',
      state: 'held' | 'lost' | 'draining' | undefined,
    ) =>
      listen(`rollcall:registration:${event}`, (message) =>
        this.#instruments.registrations.changed(message, state),
      );
    return [
      on('registered', 'held'),
      on('lost', 'lost'),
      on('reregistered', 'held'),
      on('draining', 'draining'),
      on('superseded', undefined),
      on('deregistered', undefined),
      listen('rollcall:picture:change', (message) => this.#instruments.endpoints.changed(message)),
    ];
  }
}
