import { RollcallError } from '../base/error.ts';

/** The service that a target names. */
export interface GrpcTarget {
  readonly service: string;
  readonly namespace: string | undefined;
  readonly port: string | undefined;
}

const TARGET = /^\/?([a-z0-9-]+)(?:\.([a-z0-9-]+))?(?::([a-z0-9-]+))?$/;

/**
 * Parses `orders`, `orders.shop`, `orders:admin`: service, namespace, name of a port.
 * Throws a {@link RollcallError} `invalid_host` that says what was expected.
 */
export function grpcTargetOf(path: string): GrpcTarget {
  const [, service, namespace, port] = TARGET.exec(path) ?? [];
  if (service !== undefined) return { service, namespace, port };
  throw new RollcallError(
    'invalid_host',
    `${path} names no service: expected rollcall:///SERVICE, SERVICE.NAMESPACE or SERVICE:PORTNAME`,
  );
}
