import type { Policy, Refusal } from '@rollcall/balancing';
import type { Endpoint } from '@rollcall/contract';

/**
 * Why an endpoint cannot be chosen now: its state (`suspect`, `unreachable` and `unconfirmed` only while there is a
 * better one), `ejected` because calls to it failed, `no_weight` while another has some, `filtered` by the given filter,
 * or it is at another port than the one called.
 */
export type NotChosen = Exclude<Refusal, 'unfit' | 'other_zone'> | 'other_port';

/** Why an endpoint is left out for a while. */
export interface EjectionExplanation {
  /** How long it is still left out, in ms. */
  readonly leftMs: number;
  /** `connect`: a connection could not be made. `call`: several calls in a row failed. */
  readonly kind: 'connect' | 'call';
  /** The last failure: a status such as 503, or what went wrong. */
  readonly lastFailure: number | string | undefined;
}

export interface EndpointExplanation extends Pick<
  Endpoint,
  'id' | 'instance' | 'address' | 'port' | 'portName' | 'zone' | 'state' | 'weight' | 'tier'
> {
  readonly canBeChosen: boolean;
  /** Undefined when it can be chosen. */
  readonly reason: NotChosen | undefined;
  /** Present while it is ejected, also when it is called in spite of it, because too many are ejected. */
  readonly ejection: EjectionExplanation | undefined;
  /** Calls of this client in progress on it, as the policy sees them. */
  readonly inFlight: number;
}

/** Why calls of a service go where they go. Frozen; `String()` of it is its text. */
export interface ServiceExplanation {
  readonly namespace: string;
  readonly service: string;
  readonly policy: Policy;
  /** ms since the registry last confirmed that the picture is current; Infinity before the first picture. */
  readonly ageMs: number;
  /** Id of the endpoint that a call would go to now; undefined = there is none. */
  readonly chosen: string | undefined;
  /** The policy draws at random: `chosen` is one that it may draw, and the next call may go to another. */
  readonly isDrawn: boolean;
  /** Every known endpoint. */
  readonly endpoints: readonly EndpointExplanation[];
  /** The same for people, in several lines. */
  readonly text: string;
  /** The text. */
  toString(): string;
}
