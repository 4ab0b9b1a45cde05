import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';

/** A span as a collector receives it over OTLP/HTTP with JSON. */
export interface CollectedSpan {
  /** `service.name` of its resource. */
  readonly service: string;
  /** Of its resource. */
  readonly resource: Readonly<Record<string, unknown>>;
  readonly name: string;
  /** 1 INTERNAL, 2 SERVER, 3 CLIENT. */
  readonly kind: number;
  readonly traceId: string;
  readonly spanId: string;
  /** Empty for the first one of a trace. */
  readonly parentSpanId: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  /** 2 = error. */
  readonly status: number;
}

interface KeyValue {
  readonly key: string;
  readonly value: Readonly<Record<string, unknown>>;
}

interface Sent {
  readonly resourceSpans?: readonly {
    readonly resource?: { readonly attributes?: readonly KeyValue[] };
    readonly scopeSpans?: readonly {
      readonly spans?: readonly (Omit<CollectedSpan, 'attributes' | 'status'> & {
        readonly attributes?: readonly KeyValue[];
        readonly status?: { readonly code?: number };
      })[];
    }[];
  }[];
}

/** What an OpenTelemetry collector is to its clients: takes spans by OTLP/HTTP with JSON, and keeps them. */
export class CollectorStub {
  readonly spans: CollectedSpan[] = [];
  /** Headers of the requests that it received. */
  readonly headers: Readonly<Record<string, unknown>>[] = [];
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(): Promise<CollectorStub> {
    const server = createServer();
    const stub = new CollectorStub(server);
    server.on('request', (request, response) => void stub.#take(request, response));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return stub;
  }

  /** For `OTEL_EXPORTER_OTLP_ENDPOINT`. */
  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.headers.push(request.headers);
    try {
      const sent = (await json(request)) as Sent;
      const isTraces = request.method === 'POST' && request.url === '/v1/traces';
      if (isTraces) this.spans.push(...spansOf(sent));
      response.writeHead(isTraces ? 200 : 404, { 'content-type': 'application/json' }).end('{}');
    } catch {
      response.writeHead(400).end();
    }
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((done) => this.#server.close(() => done()));
  }
}

function spansOf({ resourceSpans = [] }: Sent): CollectedSpan[] {
  return resourceSpans.flatMap(({ resource: given, scopeSpans = [] }) => {
    const resource = valuesOf(given?.attributes);
    const service = String(resource['service.name']);
    return scopeSpans.flatMap(({ spans = [] }) =>
      spans.map(({ name, kind, traceId, spanId, parentSpanId, attributes, status }) => ({
        service,
        resource,
        name,
        kind,
        traceId,
        spanId,
        parentSpanId: parentSpanId ?? '',
        attributes: valuesOf(attributes),
        status: status?.code ?? 0,
      })),
    );
  });
}

/** `{ stringValue: 'a' }` -> `'a'`; integers may come as text. */
function valuesOf(list: readonly KeyValue[] = []): Record<string, unknown> {
  return Object.fromEntries(
    list.map(({ key, value: { intValue, ...others } }) => [
      key,
      intValue === undefined ? Object.values(others)[0] : Number(intValue),
    ]),
  );
}
