import {
  answeredEnd,
  httpSpanName,
  methodAttributes,
  type OpenSpan,
  type SpanEnd,
  type Tracing,
  urlHostOf,
} from '@rollcall/daemon';
import type {
  ExchangeRecord,
  RequestTrace,
  RequestTracer,
  RequestLine,
  Target,
  TargetOutcome,
  TargetResult,
} from '@rollcall/dataplane';

/** A SERVER span for each request, and below it a CLIENT span for each try at a target. */
export class BalancerTracer implements RequestTracer {
  readonly fields: readonly string[];
  readonly #tracing: Tracing;

  constructor(tracing: Tracing) {
    this.#tracing = tracing;
    this.fields = tracing.fields;
  }

  onRequest(
    { method, host, path, clientAddress }: RequestLine,
    fields: Readonly<Record<string, string>>,
  ): RequestTrace {
    const span = this.#tracing.server(httpSpanName(method), fields, {
      ...methodAttributes(method),
      'url.scheme': 'http',
      // Without its query, which may contain secrets.
      'url.path': path,
      'client.address': clientAddress,
      ...(host === '' ? {} : { 'server.address': host }),
    });
    return new ExchangeTrace(span, method, path);
  }
}

class ExchangeTrace implements RequestTrace {
  readonly #span: OpenSpan;
  readonly #method: string;
  readonly #path: string;
  #tryOf: OpenSpan | undefined;

  constructor(span: OpenSpan, method: string, path: string) {
    this.#span = span;
    this.#method = method;
    this.#path = path;
  }

  onTry({ id, host, port }: Target, resends: number): Readonly<Record<string, string>> {
    this.#tryOf = this.#span.client(httpSpanName(this.#method), {
      ...methodAttributes(this.#method),
      'url.full': `http://${urlHostOf(host)}:${port}${this.#path}`,
      'server.address': host,
      'server.port': port,
      'network.peer.address': host,
      'network.peer.port': port,
      'network.protocol.version': '1.1',
      'rollcall.endpoint': id,
      ...(resends > 0 ? { 'http.request.resend_count': resends } : {}),
    });
    return this.#tryOf.headers();
  }

  onTryEnd(outcome: TargetOutcome, { status, reason }: TargetResult): void {
    this.#tryOf?.end(tryEnd(outcome, status, reason));
    this.#tryOf = undefined;
  }

  onEnd(record: ExchangeRecord): void {
    this.#span.end(exchangeEnd(record));
  }
}

function tryEnd(outcome: TargetOutcome, status: number, reason: string): SpanEnd {
  if (outcome !== 'answered') return { attributes: {}, error: reason === '' ? outcome : reason };
  // A tunnel has no status of its own when it ends.
  return status === 0 ? { attributes: {}, error: '' } : answeredEnd(status, 400);
}

/** 499 is never sent: the client had left. A reason with a status below 400 means that the answer broke off. */
function exchangeEnd({ status, reason, group, minorVersion }: ExchangeRecord): SpanEnd {
  const isSent = status !== 499;
  const { attributes, error } = isSent ? answeredEnd(status, 500) : { attributes: {}, error: '' };
  const isCut = !isSent || status < 400;
  return {
    attributes: {
      ...attributes,
      'network.protocol.version': `1.${minorVersion}`,
      ...(group === '' ? {} : { 'rollcall.target_group': group }),
    },
    error: reason !== '' && (isCut || error !== '') ? reason : error,
  };
}
