import type { Condition, DeclaredPort } from '@rollcall/client-sdk';
import {
  bindReasonOf,
  formatAddress,
  type FrontendStatus,
  unsupportedCondition,
} from '@rollcall/service-plane';
import type { AddressKind, ServiceAddress } from './service-address.ts';

/** An address and its status. */
export interface AddressStanding {
  readonly address: ServiceAddress;
  readonly status: FrontendStatus;
}

const KINDS: readonly AddressKind[] = ['ClusterIP', 'NodePort', 'ExternalIP', 'LoadBalancerIP'];
const MESSAGE_LENGTH = 1_000;

/**
 * The conditions of a service: for each kind of address whether all are bound, one for unsupported ports if there are
 * any, and a summary. A load balancer's address that could not be bound is left out, whatever the reason: it may belong
 * to another machine. Undefined = an address is still being bound.
 */
export function conditionsOf(
  standings: readonly AddressStanding[],
  ports: readonly DeclaredPort[],
): Condition[] | undefined {
  if (standings.some(({ status }) => status.state === 'binding')) return undefined;
  const own = standings.filter(
    ({ address, status }) => address.kind !== 'LoadBalancerIP' || status.state === 'bound',
  );
  const conditions = KINDS.flatMap((kind) => {
    const some = own.filter(({ address }) => address.kind === kind);
    return some.length === 0 ? [] : [conditionOf(`${kind}Bound`, some)];
  });
  const unsupported = unsupportedCondition(ports, 'this proxy');
  if (unsupported !== undefined) conditions.push(unsupported);
  const faults = conditions.filter(({ status }) => status === 'False');
  const programmed: Condition =
    faults.length === 0
      ? fine('Programmed', 'Programmed', own)
      : { ...faults[0]!, type: 'Programmed', message: cut(faults.map(({ message }) => message)) };
  return [...conditions, programmed];
}

function conditionOf(type: string, standings: readonly AddressStanding[]): Condition {
  const faults = standings.filter(({ status }) => status.state !== 'bound');
  const [first] = faults;
  if (first === undefined) return fine(type, 'Bound', standings);
  const message = cut(
    faults.map(({ address, status }) => `${formatAddress(address)}: ${status.detail}`),
  );
  return { type, status: 'False', reason: bindReasonOf(first.status), message };
}

function fine(type: string, reason: string, standings: readonly AddressStanding[]): Condition {
  const message = cut(standings.map(({ address }) => formatAddress(address)));
  return { type, status: 'True', reason, message };
}

function cut(parts: readonly string[]): string {
  const text = parts.join('; ');
  return text.length <= MESSAGE_LENGTH ? text : `${text.slice(0, MESSAGE_LENGTH - 3)}...`;
}
