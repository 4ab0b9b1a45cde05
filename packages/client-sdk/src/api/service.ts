import type { DeclaredService, Endpoint } from '@rollcall/contract';
import type { RequestPolicy } from '@rollcall/balancing';
import type { Dispatcher } from 'undici';
import type { RollcallError } from '../base/error.ts';

/** All that is known of a service at one moment: every port, every state. Frozen; replaced whole on change. */
export interface ServiceSnapshot {
  readonly namespace: string;
  readonly service: string;
  /** Opaque; differs from one snapshot to the next. */
  readonly revision: string;
  /** What a manifest says of it; null = nobody declared it. */
  readonly declared: DeclaredService | null;
  readonly endpoints: readonly Endpoint[];
}

export interface ServiceOptions {
  /** Namespace of the service. @default the client's `namespace` */
  readonly namespace?: string;
  /** Which named port to call. @default `http` if there is one, else the first */
  readonly port?: string;
  /** How to choose among the endpoints. @default the client's `policy` */
  readonly policy?: RequestPolicy;
  /** How to speak with the endpoints. @default 'http' */
  readonly scheme?: 'http' | 'https';
  /**
   * Name that certificates of its endpoints are for, over https. @default the client's `calls.connect.servername`, else
   * `<service>.<namespace>.<hostSuffix>`, in the client's own namespace `<service>.<hostSuffix>` too
   */
  readonly servername?: string;
}

/** How a call that {@link Service.pick} was asked for went. */
export type Outcome =
  /** It was answered. */
  | 'ok'
  /** No connection came about: ejects the endpoint at once. */
  | 'connect_failed'
  /** The connection died, no answer came in time, or it was a 5xx: several in a row eject. */
  | 'failed';

export interface PickedEndpoint {
  readonly kind: 'picked';
  readonly endpoint: Endpoint;
  /** Must be called once the call is over; further calls do nothing. */
  done(outcome: Outcome): void;
}

export interface NoEndpoint {
  readonly kind: 'none';
  /** `no_endpoints`: says how many are known, how old the picture is and why. */
  readonly error: RollcallError;
}

/** Options of one request: undici's, without origin; the method is GET by default. */
export interface ServiceRequestOptions extends Omit<
  Dispatcher.RequestOptions,
  'origin' | 'method' | 'body'
> {
  readonly method?: Dispatcher.HttpMethod;
  /** A function is called anew for each try, so that a stream can be sent again. */
  readonly body?: Dispatcher.DispatchOptions['body'] | (() => Dispatcher.DispatchOptions['body']);
  /** How long to wait for an endpoint when there is none, in ms. @default the client's `noEndpointWaitMs` */
  readonly waitMs?: number;
}

/** What calls through one {@link Service} came to since it was opened. */
export interface ServiceStats {
  /** Calls begun, retries not counted. */
  readonly calls: number;
  /** Tries after the first of a call. */
  readonly retries: number;
  /** Calls that ended without an answer from any instance. */
  readonly failures: number;
  /** Endpoints left out for a while. */
  readonly ejections: number;
  /** Calls under way now. */
  readonly inFlight: number;
}

/** One service as this process sees it: its live endpoints and calls to them. */
export interface Service {
  readonly name: string;
  readonly namespace: string;
  /** Resolves once a first picture was seen. Rejects on abort, on close and when the registry refuses to show it. */
  ready(options?: { readonly signal?: AbortSignal }): Promise<void>;
  /** The latest picture; undefined before the first. Never emptied because the registry cannot be reached. */
  snapshot(): ServiceSnapshot | undefined;
  /** The endpoints of the chosen port in every state; empty before the first picture. */
  endpoints(): readonly Endpoint[];
  /** ms since the registry last proved the picture current; Infinity before the first. */
  ageMs(): number;
  /**
   * Calls back after each new picture, in order, never concurrently. Returns what ends it. One that throws keeps nobody
   * else from being called: the process is warned of it.
   */
  on(event: 'change', listener: (snapshot: ServiceSnapshot) => void): () => void;
  /** Chooses an endpoint for a call made by other means, e.g. gRPC or a raw socket. */
  pick(): PickedEndpoint | NoEndpoint;
  /** Calls one instance. Rejects with a {@link RollcallError}, or with the signal's reason. */
  request(
    path: string,
    options?: Omit<ServiceRequestOptions, 'path'>,
  ): Promise<Dispatcher.ResponseData>;
  request(options: ServiceRequestOptions): Promise<Dispatcher.ResponseData>;
  /**
   * The Fetch API towards the service, made by this process's own `fetch`: what fails rejects with its TypeError, whose
   * `cause` is the {@link RollcallError}. Takes a path, or a url or `Request` whose host means the service; any other host
   * rejects with `invalid_host`. A redirect to another host is followed there, but never with a body.
   */
  fetch(input: string | URL | Request, init?: RequestInit): Promise<Response>;
  stats(): ServiceStats;
  /** Gives it back; the last user of a service ends its connections, after what is under way. Twice does no harm. */
  close(): Promise<void>;
}
