import type { Attributes } from '@opentelemetry/api';
import { KNOWN_METHODS } from '@rollcall/contract';
import type { RequestMessage } from '@rollcall/client-sdk';

/** Names of the semantic conventions, and our own. */
export const ATTRIBUTE = {
  errorType: 'error.type',
  method: 'http.request.method',
  originalMethod: 'http.request.method_original',
  resendCount: 'http.request.resend_count',
  statusCode: 'http.response.status_code',
  peerAddress: 'network.peer.address',
  peerPort: 'network.peer.port',
  serverAddress: 'server.address',
  serverPort: 'server.port',
  url: 'url.full',
  namespace: 'rollcall.namespace',
  service: 'rollcall.service',
  endpoint: 'rollcall.endpoint',
  zone: 'rollcall.zone',
  tries: 'rollcall.tries',
  endpointState: 'rollcall.endpoint.state',
  registrationState: 'rollcall.registration.state',
} as const;

const HTTP = 'http://';
const HTTPS = 'https://';

/** First status that is an error for a client, by the semantic conventions. */
const FIRST_ERROR = 400;

interface Named {
  readonly namespace: string;
  readonly service: string;
}

/** The service of a message, as attributes of its metrics. */
export const serviceAttributes = ({ namespace, service }: Named): Attributes => ({
  [ATTRIBUTE.namespace]: namespace,
  [ATTRIBUTE.service]: service,
});

/** What identifies a request for a service; few values, so that metrics can have them too. */
export function requestAttributes(message: RequestMessage): Attributes {
  // The SDK's own spelling, without a port. Parsing it as a url would take most of the time of these lines.
  const isSecure = message.origin.startsWith(HTTPS);
  return {
    ...serviceAttributes(message),
    [ATTRIBUTE.method]: KNOWN_METHODS.has(message.method) ? message.method : '_OTHER',
    [ATTRIBUTE.serverAddress]: message.origin.slice((isSecure ? HTTPS : HTTP).length),
    [ATTRIBUTE.serverPort]: isSecure ? 443 : 80,
  };
}

/** What only the span of a request has. A query may contain secrets, so it is left out. */
export function urlAttributes({ method, origin, path }: RequestMessage): Attributes {
  return {
    [ATTRIBUTE.url]: origin + path.replace(/[?#].*/s, ''),
    ...(KNOWN_METHODS.has(method) ? {} : { [ATTRIBUTE.originalMethod]: method }),
  };
}

/** The instance that a try goes to. */
export function endpointAttributes({ endpoint, tries }: RequestMessage): Attributes {
  if (endpoint === undefined) return {};
  const { address, port, id, zone } = endpoint;
  return {
    [ATTRIBUTE.endpoint]: id,
    [ATTRIBUTE.peerAddress]: address,
    [ATTRIBUTE.peerPort]: port,
    ...(zone === '' ? {} : { [ATTRIBUTE.zone]: zone }),
    ...(tries > 1 ? { [ATTRIBUTE.resendCount]: tries - 1 } : {}),
  };
}

/** What came of a request or a call. An answer that broke off has a status and an error. */
export interface Outcome {
  readonly statusCode: number | undefined;
  readonly error: Error | undefined;
}

export function outcomeAttributes({ statusCode, error }: Outcome): Attributes {
  const type = errorType({ statusCode, error });
  return {
    ...(statusCode === undefined ? {} : { [ATTRIBUTE.statusCode]: statusCode }),
    ...(type === undefined ? {} : { [ATTRIBUTE.errorType]: type }),
  };
}

/** The code of the error, else its name, else the status if it is one of an error; undefined = it succeeded. */
export function errorType({ statusCode, error }: Outcome): string | undefined {
  if (error !== undefined) {
    const { code } = error as NodeJS.ErrnoException;
    return typeof code === 'string' ? code : error.name;
  }
  return statusCode !== undefined && statusCode >= FIRST_ERROR ? `${statusCode}` : undefined;
}
