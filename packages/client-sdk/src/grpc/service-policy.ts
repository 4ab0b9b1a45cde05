import { type ChannelOptions, connectivityState, experimental, status } from '@grpc/grpc-js';
import type { EndpointChannel } from '../calls/endpoint-channel.ts';
import { type GrpcSource, POLICY, SOURCE } from './service-resolver.ts';

type Helper = experimental.ChannelControlHelper;
type Child = experimental.LeafLoadBalancer;

const { IDLE, CONNECTING, READY, TRANSIENT_FAILURE } = connectivityState;

/** The configuration of the policy: the service's own endpoints say everything. */
export class ServicePolicyConfig {
  static createFromJson(): ServicePolicyConfig {
    return new ServicePolicyConfig();
  }

  getLoadBalancerName(): string {
    return POLICY;
  }

  toJsonObject(): object {
    return { [POLICY]: {} };
  }
}

/**
 * A balancing policy of grpc-js that picks by the pool of the service, as every other way of calling does. It keeps a
 * connection to each endpoint, and passes the outcome of each call to the pool.
 */
export class ServicePolicy implements experimental.LoadBalancer {
  readonly #helper: Helper;
  readonly #children = new Map<EndpointChannel, Child>();
  #source: GrpcSource | undefined;
  #lastError = '';

  constructor(helper: Helper) {
    this.#helper = helper;
  }

  updateAddressList(
    endpoints: experimental.StatusOr<experimental.Endpoint[]>,
    _config: unknown,
    options: ChannelOptions,
    note: string,
  ): boolean {
    if (!endpoints.ok) {
      // Endpoints that are known go on being called.
      if (this.#children.size === 0) this.#fail(endpoints.error.details);
      return true;
    }
    const { [SOURCE]: source, ...rest } = options as Record<string, unknown>;
    this.#source = source as GrpcSource;
    const wanted = new Set(this.#source.connections.targets());
    for (const [channel, child] of this.#children) {
      if (wanted.has(channel)) continue;
      this.#children.delete(channel);
      child.destroy();
    }
    for (const channel of wanted) {
      const { tier, serving } = channel.endpoint;
      // One that is down, or starts: it comes again when it is ready.
      const isCallable = tier !== null || serving;
      if (isCallable && !this.#children.has(channel)) this.#connect(channel, rest, note);
    }
    this.#update();
    return true;
  }

  exitIdle(): void {
    for (const child of this.#children.values()) child.exitIdle();
  }

  resetBackoff(): void {
    // Each connection has its own.
  }

  destroy(): void {
    for (const child of this.#children.values()) child.destroy();
    this.#children.clear();
  }

  getTypeName(): string {
    return POLICY;
  }

  #connect(channel: EndpointChannel, options: ChannelOptions, note: string): void {
    const place = { addresses: [{ host: channel.host, port: channel.port }] };
    const updateState: Helper['updateState'] = (state, _picker, error) => {
      if (this.#children.get(channel) !== child) return;
      if (error !== null) this.#lastError = error;
      if (state === TRANSIENT_FAILURE) this.#source?.connections.failed(channel, 'connect');
      // A connection that ended is made again at once, so that a call need not wait for it.
      if (state === IDLE) child.exitIdle();
      this.#update();
    };
    const helper = experimental.createChildChannelControlHelper(this.#helper, { updateState });
    const child: Child = new experimental.LeafLoadBalancer(place, helper, options, note);
    this.#children.set(channel, child);
    child.startConnecting();
  }

  #update(): void {
    const states = new Set(
      Array.from(this.#children.values(), (child) => child.getConnectivityState()),
    );
    if (states.has(READY))
      this.#helper.updateState(READY, { pick: (args) => this.#pick(args) }, null);
    else if (states.has(CONNECTING) || states.has(IDLE)) {
      this.#helper.updateState(CONNECTING, new experimental.QueuePicker(this), null);
    } else this.#fail(this.#lastError === '' ? 'no instance is on the roll' : this.#lastError);
  }

  #fail(details: string): void {
    const picker = new experimental.UnavailablePicker({ code: status.UNAVAILABLE, details });
    this.#helper.updateState(TRANSIENT_FAILURE, picker, details);
  }

  #pick(args: experimental.PickArgs): experimental.PickResult {
    const isConnected = (channel: EndpointChannel) =>
      this.#children.get(channel)?.getConnectivityState() === READY;
    const channel =
      this.#source?.connections.pick({ admit: isConnected }) ??
      // All that are connected are ejected: better one of them than none.
      [...this.#children.keys()].find(isConnected);
    const child = channel && this.#children.get(channel);
    if (channel === undefined || child === undefined) {
      return new experimental.QueuePicker(this).pick(args);
    }
    const picked = child.getPicker().pick(args);
    if (picked.pickResultType !== experimental.PickResultType.COMPLETE) return picked;
    return this.#counted(channel, picked);
  }

  #counted(channel: EndpointChannel, picked: experimental.PickResult): experimental.PickResult {
    const nowMs = () => this.#source?.nowMs() ?? 0;
    const startMs = nowMs();
    let isStarted = false;
    return {
      ...picked,
      onCallStarted: () => {
        isStarted = true;
        channel.begin();
        picked.onCallStarted?.();
      },
      onCallEnded: (code, details, metadata) => {
        if (isStarted) channel.end();
        this.#ended(channel, code, nowMs() - startMs);
        picked.onCallEnded?.(code, details, metadata);
      },
    };
  }

  #ended(channel: EndpointChannel, code: status, latencyMs: number): void {
    switch (code) {
      case status.CANCELLED:
      case status.DEADLINE_EXCEEDED:
        // The caller's own: says nothing about the instance.
        return;
      case status.UNAVAILABLE:
        channel.traffic.failed();
        this.#source?.connections.failed(channel, 'call');
        return;
      case status.UNKNOWN:
      case status.INTERNAL:
      case status.DATA_LOSS:
        channel.traffic.answered(latencyMs, true);
        this.#source?.connections.answered(channel, 500);
        return;
      default:
        channel.traffic.answered(latencyMs, false);
        this.#source?.connections.answered(channel, 200);
    }
  }
}
