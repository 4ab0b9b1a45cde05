import { answeredEnd, httpSpanName, methodAttributes, type Tracing } from '@rollcall/daemon';
import type { FastifyInstance, FastifyRequest } from 'fastify';

/**
 * Makes a SERVER span for each request. Not for probes and scrapes, nor for streams, which have no end to wait for. The
 * path is left out: the id of a lease, which is a secret, is part of some.
 */
export function traceRequests(app: FastifyInstance, tracing: Tracing): void {
  app.addHook('onRequest', (request, reply, done) => {
    const { config, url: route } = request.routeOptions;
    if (config.priority === 'always' || config.isStream === true) {
      done();
      return;
    }
    const { method, protocol, ip } = request;
    const span = tracing.server(httpSpanName(method, route), headersOf(request, tracing.fields), {
      ...methodAttributes(method),
      'url.scheme': protocol,
      'client.address': ip,
      ...(route === undefined ? {} : { 'http.route': route }),
      ...namesIn(request.params),
    });
    const { raw } = reply;
    raw.once('close', () => {
      const isAnswered = raw.writableFinished;
      span.end(
        isAnswered ? answeredEnd(raw.statusCode, 500) : { attributes: {}, error: 'client_closed' },
      );
    });
    done();
  });
}

function headersOf({ headers }: FastifyRequest, names: readonly string[]): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of names) {
    const value = headers[name];
    if (value !== undefined) found[name] = [value].flat().join(',');
  }
  return found;
}

/** The service that a path names. */
function namesIn(params: unknown): Record<string, string> {
  const { ns, svc } = params as { ns?: string; svc?: string };
  return {
    ...(ns === undefined ? {} : { 'rollcall.namespace': ns }),
    ...(svc === undefined ? {} : { 'rollcall.service': svc }),
  };
}
