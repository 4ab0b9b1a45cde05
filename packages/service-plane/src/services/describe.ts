import type { Condition, DeclaredPort } from '@rollcall/client-sdk';
import type { EndpointTarget } from '@rollcall/dataplane';
import { isIPv6 } from 'node:net';
import type { ServedService } from './served-service.ts';

/** For example `127.96.0.5:80/TCP`. */
export function formatAddress({
  host,
  port,
  protocol,
}: {
  readonly host: string;
  readonly port: number;
  readonly protocol: string;
}): string {
  return `${isIPv6(host) ? `[${host}]` : host}:${port}/${protocol}`;
}

/** Undefined = every port is supported. `who`: such as `this proxy`. */
export function unsupportedCondition(
  ports: readonly DeclaredPort[],
  who: string,
): Condition | undefined {
  const unsupported = ports.filter(({ protocol }) => protocol === 'SCTP');
  if (unsupported.length === 0) return undefined;
  const names = unsupported.map(({ port, protocol }) => `${port}/${protocol}`).join(', ');
  return {
    type: 'ProtocolsSupported',
    status: 'False',
    reason: 'ProtocolNotSupported',
    message: `${names}: ${who} carries TCP and UDP`,
  };
}

/** The ports of a service with their endpoints, for an admin port. */
export function describePorts({ declared, pools }: ServedService) {
  return declared.ports.map((port) => {
    const pool = pools.poolOf(port);
    return {
      name: port.name,
      port: port.port,
      protocol: port.protocol,
      endpoints: Array.from(pool?.targets() ?? [], (target) => ({
        ...describeTarget(target),
        isEjected: pool?.isEjected(target) ?? false,
      })),
    };
  });
}

function describeTarget({ id, host, port, endpoint, inFlight, counters }: EndpointTarget) {
  const { state, tier, weight } = endpoint;
  const { connections, connectFailures } = counters;
  return { id, address: host, port, state, tier, weight, inFlight, connections, connectFailures };
}
