import type { PoolExplanation, TargetExplanation } from '@rollcall/balancing';
import { type Endpoint, urlHostOf } from '@rollcall/contract';
import type {
  EjectionExplanation,
  EndpointExplanation,
  NotChosen,
  ServiceExplanation,
} from '../api/explanation.ts';
import type { EndpointChannel } from '../calls/endpoint-channel.ts';

export interface Explained {
  readonly namespace: string;
  readonly service: string;
  readonly ageMs: number;
  /** Every known endpoint, of all ports. */
  readonly known: readonly Endpoint[];
  /** Of the port that is called. */
  readonly pool: PoolExplanation<EndpointChannel>;
  /** Why there is none to call, in words. */
  readonly whyNone: () => string;
}

/** What the pool says of its endpoints, with those of the other ports. */
export function explainService(explained: Explained): ServiceExplanation {
  const { namespace, service, ageMs, known, pool } = explained;
  const byId = new Map(pool.targets.map((one) => [one.target.id, one]));
  const endpoints = known.map((endpoint) => explainEndpoint(endpoint, byId.get(endpoint.id)));
  const facts = {
    namespace,
    service,
    policy: pool.policy,
    ageMs,
    chosen: pool.next?.id,
    isDrawn: pool.isDrawn,
    endpoints: Object.freeze(endpoints),
  };
  const text = [headOf(facts, explained), ...endpoints.map(lineOf)].join('\n');
  const explanation: ServiceExplanation = { ...facts, text };
  // Not among its own data, which is for comparing and for JSON.
  Object.defineProperty(explanation, 'toString', { value: () => text });
  return Object.freeze(explanation);
}

function explainEndpoint(
  { id, instance, address, port, portName, zone, state, weight, tier }: Endpoint,
  found: TargetExplanation<EndpointChannel> | undefined,
): EndpointExplanation {
  const own = { id, instance, address, port, portName, zone, state, weight, tier };
  const reason = found === undefined ? 'other_port' : (found.refusal as NotChosen | undefined);
  return Object.freeze({
    ...own,
    canBeChosen: reason === undefined,
    reason,
    ejection: ejectionOf(found),
    inFlight: found?.target.inFlight ?? 0,
  });
}

function ejectionOf(
  found: TargetExplanation<EndpointChannel> | undefined,
): EjectionExplanation | undefined {
  if (found?.ejection === undefined) return undefined;
  return Object.freeze({ ...found.ejection, lastFailure: found.target.lastFailure });
}

function headOf(
  {
    namespace,
    service,
    policy,
    ageMs,
    chosen,
    isDrawn,
  }: Omit<ServiceExplanation, 'text' | 'toString'>,
  { whyNone }: Explained,
): string {
  if (chosen === undefined) return whyNone();
  const drawn = isDrawn ? ', drawn at random' : '';
  const age = `picture ${(ageMs / 1_000).toFixed(1)} s old`;
  return `a call of ${namespace}/${service} would go to ${chosen} (${policy}${drawn}; ${age})`;
}

const WHY: Readonly<Partial<Record<NotChosen, string>>> = {
  no_weight: 'its weight is 0',
  filtered: 'the filter does not take it',
};

function lineOf(endpoint: EndpointExplanation): string {
  const { id, address, port, portName, state, reason, ejection, weight, inFlight } = endpoint;
  const seen = `${state}, weight ${weight}, ${inFlight} in flight`;
  const left = ejection === undefined ? '' : ejectedText(ejection);
  let verdict = 'can be chosen';
  if (reason === 'ejected') verdict = `not now: ${left}`;
  else if (reason === 'other_port')
    verdict = `not called: port '${portName}' is not the one called`;
  else if (reason !== undefined) verdict = `not now: ${WHY[reason] ?? reason}`;
  else if (ejection !== undefined) verdict = `can be chosen, as too many are left out: ${left}`;
  return `  ${id} at ${urlHostOf(address)}:${port} (${seen}): ${verdict}`;
}

function ejectedText({ leftMs, kind, lastFailure }: EjectionExplanation): string {
  const what = kind === 'connect' ? 'no connection could be made' : 'calls in a row failed';
  const last = typeof lastFailure === 'number' ? `status ${lastFailure}` : lastFailure;
  const detail = last === undefined ? '' : `, last: ${last}`;
  return `ejected for another ${Math.ceil(leftMs)} ms: ${what}${detail}`;
}
