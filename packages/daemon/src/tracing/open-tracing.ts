import { type Clock, within } from '@rollcall/runtime';
import type { Logger } from 'pino';
import { OtelTracing } from './otel-tracing.ts';
import type { Tracing } from './tracing.ts';
import { namesService, setIn, tracingVariable } from './tracing-environment.ts';

/** How long the end of the program waits until the last spans are sent, in ms. */
const FLUSH_MS = 2_000;

/** What a span says of the process. That of the process itself would show the command line, with its tokens. */
const DETECTORS = 'env,host,os,serviceinstance';

export interface TracingParts {
  /** Name of the program: `service.name`, unless the environment names one. */
  readonly name: string;
  readonly version: string;
  /** That of the process: the SDK of OpenTelemetry reads it too. */
  readonly environment: NodeJS.ProcessEnv;
  readonly logger: Logger;
  readonly clock: Pick<Clock, 'after'>;
}

export interface OpenTracing extends Tracing {
  /** Sends what is left, for two seconds at most. Never rejects. */
  close(): Promise<void>;
}

/**
 * The traces of a program, as the OTEL_* variables of its environment say; undefined while they are off. Only then the
 * libraries of OpenTelemetry are loaded. A program serves without traces rather than not at all: if they are not
 * installed or cannot be started, the log says so, and so it does, once, if the spans cannot be sent.
 */
export async function openTracing(parts: TracingParts): Promise<OpenTracing | undefined> {
  const variable = tracingVariable(parts.environment);
  if (variable === undefined) return undefined;
  const { logger } = parts;
  try {
    const tracing = await start(parts);
    logger.info(`traces are on, because of ${variable}`);
    return tracing;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const remedy = 'npm install @opentelemetry/api @opentelemetry/sdk-node';
    if (code === 'ERR_MODULE_NOT_FOUND')
      logger.error(`${variable} asks for traces, but their libraries are missing: ${remedy}`);
    else logger.error({ err: error }, `${variable} asks for traces, but they cannot be started`);
    return undefined;
  }
}

async function start({ name, version, environment, logger, clock }: TracingParts) {
  const [api, { NodeSDK }] = await Promise.all([
    import('@opentelemetry/api'),
    import('@opentelemetry/sdk-node'),
  ]);
  if (setIn(environment, 'OTEL_NODE_RESOURCE_DETECTORS') === undefined)
    environment['OTEL_NODE_RESOURCE_DETECTORS'] = DETECTORS;
  const sdk = new NodeSDK({
    ...(namesService(environment) ? {} : { serviceName: name }),
    // Metrics are scraped, the log is written: see `/metrics` and standard output.
    metricReaders: [],
    logRecordProcessors: [],
  });
  api.diag.setLogger(onceTo(logger), {
    logLevel: api.DiagLogLevel.WARN,
    suppressOverrideMessage: true,
  });
  sdk.start();
  const close = async () => {
    // What cannot be sent was told when it was tried.
    await within(clock, FLUSH_MS, sdk.shutdown()).catch(() => {});
  };
  return Object.assign(new OtelTracing(api, { name, version }), { close });
}

/** What OpenTelemetry complains of, once for each level: a collector that is away would otherwise fill the log. */
function onceTo(logger: Logger) {
  const tell = () => {
    let isTold = false;
    return (...words: readonly unknown[]): void => {
      if (isTold) return;
      isTold = true;
      logger.warn(`traces: ${words.map(textOf).join(' ')}; this is not repeated`);
    };
  };
  const quiet = () => {};
  return { error: tell(), warn: tell(), info: quiet, debug: quiet, verbose: quiet };
}

/** Errors come as JSON, with their stack. */
function textOf(word: unknown): string {
  if (word instanceof Error) return word.message;
  if (typeof word !== 'string') return '';
  try {
    const parsed: unknown = JSON.parse(word);
    if (typeof parsed === 'object' && parsed !== null && 'message' in parsed)
      return String(parsed.message);
  } catch {
    // A text as it is.
  }
  return word;
}
