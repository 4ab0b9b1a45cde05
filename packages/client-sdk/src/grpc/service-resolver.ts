import { type ChannelOptions, experimental, Metadata, status } from '@grpc/grpc-js';
import type { OpenedService, Reach } from '../calls/reach.ts';
import type { EndpointConnections } from '../calls/endpoint-connections.ts';
import { type GrpcTarget, grpcTargetOf } from './target.ts';

/** Name of the balancing policy that picks among the endpoints of a service. */
export const POLICY = 'rollcall';

/** Under this attribute the policy finds the endpoints. The prefix keeps it out of the connections' own options. */
export const SOURCE = `${experimental.SUBCHANNEL_ARGS_EXCLUDE_KEY_PREFIX}.rollcall`;

/** The port that gRPC calls when the target names none. */
const USUAL_PORT = 'grpc';

/** What the policy gets under {@link SOURCE}. */
export interface GrpcSource {
  readonly connections: EndpointConnections;
  /** Monotonic, in ms. */
  readonly nowMs: () => number;
}

type Listener = experimental.ResolverListener;

interface ServiceConfig {
  readonly methodConfig?: readonly { readonly timeout?: unknown }[];
}

/** Our policy, and everything else that the caller's service config says, in the form in which grpc-js keeps it. */
function serviceConfigOf(options: ChannelOptions): object {
  const text = options['grpc.service_config'];
  const own = text === undefined ? {} : (JSON.parse(text) as ServiceConfig);
  const methodConfig = (own.methodConfig ?? []).map((method) => {
    const { timeout } = method;
    if (typeof timeout !== 'string') return method;
    return { ...method, timeout: experimental.parseDuration(timeout) ?? undefined };
  });
  return { ...own, methodConfig, loadBalancingConfig: [{ [POLICY]: {} }] };
}

/**
 * Resolves `rollcall:///orders`. It tells the channel of each change of the picture, and of nothing else: grpc-js asks
 * again after every push that drops an endpoint, so a resolver that answers would never come to rest.
 */
export class ServiceResolver {
  readonly #reach: Reach;
  readonly #target: GrpcTarget;
  readonly #listener: Listener;
  readonly #config: object;
  #service: OpenedService | undefined;

  /** Throws a `RollcallError` for a target that names no service. */
  constructor(reach: Reach, path: string, listener: Listener, options: ChannelOptions) {
    this.#reach = reach;
    this.#target = grpcTargetOf(path);
    this.#listener = listener;
    this.#config = serviceConfigOf(options);
  }

  updateResolution(): void {
    if (this.#service !== undefined) return;
    const { service: name, namespace, port } = this.#target;
    const options = {
      ...(namespace === undefined ? {} : { namespace }),
      ...(port === undefined ? {} : { port }),
    };
    const service = this.#reach.open(name, options, USUAL_PORT);
    this.#service = service;
    service.on('change', () => this.#push(service));
    // Never within this call: the channel is not ready for it.
    setImmediate(() => {
      if (service.snapshot() !== undefined) this.#push(service);
    });
    service.ready({ endpoints: 0 }).catch((error: Error) => this.#fail(service, error));
  }

  destroy(): void {
    const service = this.#service;
    this.#service = undefined;
    void service?.close();
  }

  #push(service: OpenedService): void {
    if (this.#service !== service) return;
    const { connections } = service.live;
    const places = service.endpoints().map(({ address, port }) => {
      return { addresses: [{ host: address, port }] };
    });
    const nowMs = () => this.#reach.runtime.monotonicMs();
    const attributes = { [SOURCE]: { connections, nowMs } satisfies GrpcSource };
    const config = experimental.statusOrFromValue(this.#config as never);
    this.#listener(experimental.statusOrFromValue(places), attributes, config, '');
  }

  #fail(service: OpenedService, { message: details }: Error): void {
    if (this.#service !== service) return;
    const error = { code: status.UNAVAILABLE, details, metadata: new Metadata() };
    this.#listener(experimental.statusOrFromError(error), {}, null, details);
  }
}
