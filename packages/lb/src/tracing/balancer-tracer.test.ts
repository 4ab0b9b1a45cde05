import type { OpenSpan, SpanAttributes, SpanEnd, Tracing } from '@rollcall/daemon';
import { type ExchangeRecord, type RequestLine, createTargetCounters } from '@rollcall/dataplane';
import { expect, test } from 'vitest';
import { BalancerTracer } from './balancer-tracer.ts';

interface Noted {
  readonly name: string;
  readonly attributes: SpanAttributes;
  end?: SpanEnd;
}

/** Notes the spans in the order in which they begin. */
class NotedTracing implements Tracing {
  readonly fields = ['traceparent'];
  readonly spans: Noted[] = [];

  server(name: string, headers: Readonly<Record<string, string>>, attributes: SpanAttributes) {
    return this.#span(`${name} of ${headers['traceparent'] ?? 'nobody'}`, attributes);
  }

  #span(name: string, attributes: SpanAttributes): OpenSpan {
    const noted: Noted = { name, attributes };
    const at = this.spans.push(noted);
    return {
      headers: () => ({ traceparent: `span-${at}` }),
      client: (child, more) => this.#span(child, more),
      end: (end) => void (noted.end = end),
    };
  }
}

const target = (host: string) => ({
  id: 'o1/http',
  host,
  port: 3000,
  counters: createTargetCounters(),
  inFlight: 0,
  begin() {},
  end() {},
});

const view: RequestLine = {
  method: 'GET',
  host: 'shop.example',
  path: '/a',
  target: '/a?secret=1',
  clientAddress: '10.0.0.1',
};

const record = (given: Partial<ExchangeRecord>): ExchangeRecord => ({
  ...view,
  status: 200,
  reason: '',
  detail: '',
  rule: '',
  group: 'orders',
  finalTarget: undefined,
  attempts: 1,
  requestBytes: 0,
  responseBytes: 0,
  responseHeadBytes: 0,
  requestId: '',
  keptFields: [],
  minorVersion: 1,
  durationMs: 1,
  ...given,
});

test('a request and its tries, each with what it carries', () => {
  const tracing = new NotedTracing();
  const tracer = new BalancerTracer(tracing);
  expect(tracer.fields).toEqual(['traceparent']);
  const trace = tracer.onRequest(view, { traceparent: 'caller' });
  expect(trace.onTry(target('10.0.0.7'), 0)).toEqual({ traceparent: 'span-2' });
  trace.onTryEnd('connect_failed', { status: 0, durationMs: 1, reason: 'ECONNREFUSED' });
  expect(trace.onTry(target('::1'), 1)).toEqual({ traceparent: 'span-3' });
  trace.onTryEnd('answered', { status: 200, durationMs: 1, reason: '' });
  trace.onEnd(record({}));
  expect(tracing.spans).toEqual([
    {
      name: 'GET of caller',
      attributes: {
        'http.request.method': 'GET',
        'url.scheme': 'http',
        'url.path': '/a',
        'client.address': '10.0.0.1',
        'server.address': 'shop.example',
      },
      end: {
        attributes: {
          'http.response.status_code': 200,
          'network.protocol.version': '1.1',
          'rollcall.target_group': 'orders',
        },
        error: '',
      },
    },
    {
      name: 'GET',
      attributes: expect.objectContaining({ 'url.full': 'http://10.0.0.7:3000/a' }),
      end: { attributes: {}, error: 'ECONNREFUSED' },
    },
    {
      name: 'GET',
      attributes: {
        'http.request.method': 'GET',
        'http.request.resend_count': 1,
        'url.full': 'http://[::1]:3000/a',
        'server.address': '::1',
        'server.port': 3000,
        'network.peer.address': '::1',
        'network.peer.port': 3000,
        'network.protocol.version': '1.1',
        'rollcall.endpoint': 'o1/http',
      },
      end: { attributes: { 'http.response.status_code': 200 }, error: '' },
    },
  ]);
});

test.each([
  [{ status: 404, reason: 'no_rule', group: '' }, 404, ''],
  [{ status: 503, reason: 'no_targets' }, 503, 'no_targets'],
  [{ status: 500 }, 500, '500'],
  [{ status: 200, reason: 'upstream_closed' }, 200, 'upstream_closed'],
  [{ status: 499, reason: 'client_closed' }, undefined, 'client_closed'],
  [{ status: 101 }, 101, ''],
])('%j ends with %s and the error %j', (given, status, error) => {
  const tracing = new NotedTracing();
  new BalancerTracer(tracing).onRequest(view, {}).onEnd(record(given));
  const [{ end } = {}] = tracing.spans;
  expect(end?.attributes['http.response.status_code']).toBe(status);
  expect(end?.error).toBe(error);
});

test('a method that the conventions do not know', () => {
  const tracing = new NotedTracing();
  new BalancerTracer(tracing).onRequest({ ...view, method: 'PURGE', host: '' }, {});
  expect(tracing.spans[0]).toMatchObject({
    name: 'HTTP of nobody',
    attributes: { 'http.request.method': '_OTHER', 'http.request.method_original': 'PURGE' },
  });
});
