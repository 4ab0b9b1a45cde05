import { type Channel, channel } from 'node:diagnostics_channel';
import type { Endpoint } from '@rollcall/contract';
import type { ServiceSnapshot } from '../api/service.ts';

/** One call of a service. All messages about a call are the same object, so that it can be a key. */
export interface RequestMessage {
  readonly namespace: string;
  readonly service: string;
  readonly method: string;
  /** With its query, which may contain secrets. */
  readonly path: string;
  /** Number of tries so far. */
  tries: number;
  /** The endpoint of the last try; undefined while there is none. */
  endpoint: Endpoint | undefined;
  /** Status of the answer; undefined before its head. */
  statusCode: number | undefined;
  /** Why the call, or its last try, failed. */
  error: Error | undefined;
  /** Scheme and full name of the service, as `http://orders.default.rollcall`: what is called, whoever answers. */
  readonly origin: string;
  /**
   * What a subscriber puts in here is added to the request, in place of fields of the same name: during `start` for all
   * tries, during `try` from that one on. The agents of `/http` write a head only once, mostly after the first `try`.
   */
  readonly headers: Record<string, string>;
}

/** An endpoint is left out for a while, because calls to it failed. */
export interface EjectMessage {
  readonly namespace: string;
  readonly service: string;
  readonly endpoint: Endpoint;
}

/** What happened to a registration of this process. */
export interface RegistrationMessage {
  readonly namespace: string;
  readonly service: string;
  /** Id of the instance. */
  readonly instance: string;
  /** Why: for `lost` and `superseded`. */
  readonly error?: Error;
}

/** A service has another picture. */
export interface PictureMessage {
  readonly snapshot: ServiceSnapshot;
}

/**
 * What the client tells to whoever listens, through `node:diagnostics_channel`. The names and the messages are part of
 * the public API. Nothing is built while nobody listens.
 */
export const CHANNELS = Object.freeze({
  requestStart: channel('rollcall:request:start'),
  requestRetry: channel('rollcall:request:retry'),
  requestTry: channel('rollcall:request:try'),
  requestTryFailed: channel('rollcall:request:try-failed'),
  requestEnd: channel('rollcall:request:end'),
  requestError: channel('rollcall:request:error'),
  eject: channel('rollcall:eject'),
  registered: channel('rollcall:registration:registered'),
  lost: channel('rollcall:registration:lost'),
  reregistered: channel('rollcall:registration:reregistered'),
  draining: channel('rollcall:registration:draining'),
  superseded: channel('rollcall:registration:superseded'),
  deregistered: channel('rollcall:registration:deregistered'),
  pictureChange: channel('rollcall:picture:change'),
});

/** Publishes a message that is built only if somebody listens. */
export function tell(to: Channel, messageOf: () => object): void {
  if (to.hasSubscribers) to.publish(messageOf());
}
