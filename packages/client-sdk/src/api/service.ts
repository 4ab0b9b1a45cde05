import type { DeclaredService, Endpoint } from '@rollcall/contract';
import type { RequestPolicy } from '@rollcall/balancing';
import type { Dispatcher } from 'undici';
import type { RollcallError } from '../base/error.ts';
import type { CallLimits, CallSettings } from './call-settings.ts';
import type { ServiceExplanation } from './explanation.ts';

/**
 * Everything known about a service at one moment: every port, every state. Frozen; each change replaces the whole
 * object.
 */
export interface ServiceSnapshot {
  readonly namespace: string;
  readonly service: string;
  /** Opaque; differs from one snapshot to the next. */
  readonly revision: string;
  /** What a manifest declares for it; null = the service is not declared. */
  readonly declared: DeclaredService | null;
  readonly endpoints: readonly Endpoint[];
}

/** The limits are those of every call through this handle; several handles of a service share its connections. */
export interface ServiceOptions extends Partial<CallLimits> {
  /** Namespace of the service. @default the client's `namespace` */
  readonly namespace?: string;
  /** Name of the port to call. @default `http` if there is one, else the first */
  readonly port?: string;
  /** How to choose among the endpoints. @default the client's `policy` */
  readonly policy?: RequestPolicy;
  /** Protocol used for the endpoints. @default 'http' */
  readonly scheme?: 'http' | 'https';
  /**
   * Speaks HTTP/2: over https to instances that offer it, over http to every instance, without asking first. Not for
   * the agents of `/http`. @default false
   */
  readonly http2?: boolean;
  /**
   * Name that the endpoints' certificates must match, over https. @default the client's `calls.connect.servername`,
   * else `<service>.<namespace>.<hostSuffix>`, in the client's own namespace `<service>.<hostSuffix>` too
   */
  readonly servername?: string;
}

/** Result of a call for which {@link Service.pick} chose the endpoint. */
export type Outcome =
  /** The endpoint answered. */
  | 'ok'
  /** No connection could be made: ejects the endpoint at once. */
  | 'connect_failed'
  /** The connection died, the response timed out, or it was a 5xx: several in a row eject the endpoint. */
  | 'failed';

export interface PickedEndpoint {
  readonly kind: 'picked';
  readonly endpoint: Endpoint;
  /** Must be called once when the call is over; further calls do nothing. */
  done(outcome: Outcome): void;
}

export interface NoEndpoint {
  readonly kind: 'none';
  /** `no_endpoints`: says how many endpoints are known, how old the picture is and why the watch is down, if it is. */
  readonly error: RollcallError;
}

/** Options of one request: undici's, without origin, and those of a call. The default method is GET. */
export interface ServiceRequestOptions
  extends
    Omit<Dispatcher.RequestOptions, 'origin' | 'method' | 'body' | 'idempotent'>,
    CallSettings {
  readonly method?: Dispatcher.HttpMethod;
  /** A function is called again for each try, so that a stream can be sent again. */
  readonly body?: Dispatcher.DispatchOptions['body'] | (() => Dispatcher.DispatchOptions['body']);
}

export interface ReadyOptions {
  /** How many endpoints to wait for; 0 = only for the first picture, which may show none. @default 1 */
  readonly endpoints?: number;
  /** How long to wait, in ms; 0 = as long as it takes. It ends with the error `timeout`. @default 0 */
  readonly timeoutMs?: number;
  /** Ends the wait. */
  readonly signal?: AbortSignal;
}

/** Counters of the calls through one {@link Service} since it was opened. */
export interface ServiceStats {
  /** Calls started, without retries. */
  readonly calls: number;
  /** Tries after the first try of a call. */
  readonly retries: number;
  /** Calls that ended without a response from any instance. */
  readonly failures: number;
  /** How often an endpoint was ejected. */
  readonly ejections: number;
  /** Calls in progress now. */
  readonly inFlight: number;
}

/** One service as this process sees it: its live endpoints, and calls to them. */
export interface Service {
  readonly name: string;
  readonly namespace: string;
  /**
   * Resolves once there is an endpoint that can be called. Rejects on abort, after `timeoutMs`, on close and when the
   * registry refuses to show the service; the error, or its cause, says what is known. It keeps the process alive.
   */
  ready(options?: ReadyOptions): Promise<void>;
  /** The latest picture; undefined before the first. An unreachable registry never empties it. */
  snapshot(): ServiceSnapshot | undefined;
  /** The endpoints of the chosen port, in every state; empty before the first picture. */
  endpoints(): readonly Endpoint[];
  /** ms since the registry last confirmed that the picture is current; Infinity before the first confirmation. */
  ageMs(): number;
  /**
   * Calls the listener after each new picture, in order and never concurrently. Returns a function that unsubscribes. A
   * listener that throws does not stop the other listeners: the client emits a process warning.
   */
  on(event: 'change', listener: (snapshot: ServiceSnapshot) => void): () => void;
  /** Chooses an endpoint for a call made by other means, e.g. a database driver or a raw socket: you report the outcome. */
  pick(): PickedEndpoint | NoEndpoint;
  /** Calls one instance. Rejects with a {@link RollcallError}, or with the signal's reason. */
  request(
    path: string,
    options?: Omit<ServiceRequestOptions, 'path'>,
  ): Promise<Dispatcher.ResponseData>;
  request(options: ServiceRequestOptions): Promise<Dispatcher.ResponseData>;
  /**
   * Calls the service with the Fetch API, through this process's own `fetch`. Failures reject with fetch's TypeError,
   * whose `cause` is the {@link RollcallError}. Takes a path, or a URL or `Request` whose host names the service; any
   * other host rejects with `invalid_host`. A redirect to another host is followed, but never with a body; the options
   * are not for that one.
   */
  fetch(
    input: string | URL | Request,
    init?: RequestInit,
    options?: CallSettings,
  ): Promise<Response>;
  /**
   * Why a call would go where it would go now, and why not elsewhere; with a filter, why one with that filter would.
   * Counts as no pick. Throws `invalid_options` on a wrong filter.
   */
  explain(options?: Pick<CallSettings, 'endpoint'>): ServiceExplanation;
  stats(): ServiceStats;
  /**
   * Releases the service. When its last user closes it, its connections end after the calls in progress. Safe to call
   * twice.
   */
  close(): Promise<void>;
}
