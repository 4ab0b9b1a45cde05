import {
  type Context,
  context,
  propagation,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
  type Tracer,
} from '@opentelemetry/api';
import type { RequestMessage } from '@rollcall/client-sdk';
import {
  ATTRIBUTE,
  endpointAttributes,
  errorType,
  outcomeAttributes,
  type Outcome,
  requestAttributes,
  urlAttributes,
} from '../semantics/attributes.ts';

/** What the spans of one call need. */
interface OpenCall {
  readonly span: Span;
  /** The caller's context, with the call's span in it: a later try begins in the context of some socket. */
  readonly context: Context;
  tryOf: Span | undefined;
}

/**
 * The spans of calls: an INTERNAL one for each call, and below it a CLIENT one for each try, as the semantic conventions
 * want it for requests that are sent again.
 */
export class CallSpans {
  readonly #tracer: () => Tracer;
  readonly #open = new WeakMap<RequestMessage, OpenCall>();

  constructor(tracer: () => Tracer) {
    this.#tracer = tracer;
  }

  started(message: RequestMessage): void {
    const parent = context.active();
    const name = `call ${message.service}.${message.namespace}`;
    const attributes = requestAttributes(message);
    const span = this.#tracer().startSpan(name, { kind: SpanKind.INTERNAL, attributes }, parent);
    const own = trace.setSpan(parent, span);
    this.#open.set(message, { span, context: own, tryOf: undefined });
    // For a request whose head is written before its first try.
    propagation.inject(own, message.headers);
  }

  tryStarted(message: RequestMessage): void {
    const call = this.#open.get(message);
    if (call === undefined) return;
    const attributes = {
      ...requestAttributes(message),
      ...urlAttributes(message),
      ...endpointAttributes(message),
    };
    const method = attributes[ATTRIBUTE.method];
    const name = method === '_OTHER' ? 'HTTP' : message.method;
    const options = { kind: SpanKind.CLIENT, attributes };
    call.tryOf = this.#tracer().startSpan(name, options, call.context);
    propagation.inject(trace.setSpan(call.context, call.tryOf), message.headers);
  }

  /** Does nothing when no try is open. */
  tryEnded(message: RequestMessage): void {
    const call = this.#open.get(message);
    if (call?.tryOf === undefined) return;
    finish(call.tryOf, message);
    call.tryOf = undefined;
  }

  ended(message: RequestMessage): void {
    const call = this.#open.get(message);
    if (call === undefined) return;
    this.tryEnded(message);
    this.#open.delete(message);
    call.span.setAttribute(ATTRIBUTE.tries, message.tries);
    finish(call.span, message);
  }
}

function finish(span: Span, outcome: Outcome): void {
  span.setAttributes(outcomeAttributes(outcome));
  if (errorType(outcome) !== undefined) {
    const { error } = outcome;
    // A status says enough by itself.
    const status = { code: SpanStatusCode.ERROR };
    span.setStatus(error === undefined ? status : { ...status, message: error.message });
  }
  span.end();
}
