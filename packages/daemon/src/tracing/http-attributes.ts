import { KNOWN_METHODS } from '@rollcall/contract';
import type { SpanAttributes, SpanEnd } from './tracing.ts';

/** Name of the span of a request: few different ones, whatever callers send. */
export function httpSpanName(method: string, route = ''): string {
  return `${KNOWN_METHODS.has(method) ? method : 'HTTP'} ${route}`.trim();
}

/** The method, as attributes of a span. */
export function methodAttributes(method: string): SpanAttributes {
  return KNOWN_METHODS.has(method)
    ? { 'http.request.method': method }
    : { 'http.request.method': '_OTHER', 'http.request.method_original': method };
}

/** The end of a request that was answered. `firstError`: from which status on an answer is an error for this side. */
export function answeredEnd(statusCode: number, firstError: 400 | 500): SpanEnd {
  return {
    attributes: { 'http.response.status_code': statusCode },
    error: statusCode >= firstError ? `${statusCode}` : '',
  };
}
