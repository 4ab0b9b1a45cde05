import { type ChannelOptions, experimental } from '@grpc/grpc-js';
import { reachOf } from '../calls/reach.ts';
import type { Rollcall } from '../rollcall.ts';
import { assertNeeded } from './needed.ts';
import { ServicePolicy, ServicePolicyConfig } from './service-policy.ts';
import { POLICY, ServiceResolver } from './service-resolver.ts';
import { grpcTargetOf } from './target.ts';

export interface GrpcOptions {
  /** Scheme of the targets. Choose another one for a second client. @default 'rollcall' */
  readonly scheme?: string;
}

/**
 * Lets every channel of `@grpc/grpc-js` reach `rollcall:///orders` (also `orders.shop` with a namespace, `orders:admin`
 * with the name of a port; by default the port `grpc`, else `http`, else the first). Instances that come and go are
 * called, and called no more, at once. Calls are balanced by the policy of the client. Those to a named port share the pool
 * of `service(name, { port })`. Retries are those of the service config.
 *
 * Throws a {@link RollcallError} `invalid_options` for a version of grpc-js that it cannot work with.
 */
export function registerGrpcResolver(rollcall: Rollcall, options: GrpcOptions = {}): void {
  const reach = reachOf(rollcall);
  assertNeeded(experimental);
  experimental.registerLoadBalancerType(POLICY, ServicePolicy, ServicePolicyConfig);
  experimental.registerResolver(
    options.scheme ?? 'rollcall',
    class extends ServiceResolver {
      constructor(
        { path }: experimental.GrpcUri,
        listener: experimental.ResolverListener,
        channelOptions: ChannelOptions,
      ) {
        super(reach, path, listener, channelOptions);
      }

      /** The name that certificates of the instances must match. */
      static getDefaultAuthority({ path }: experimental.GrpcUri): string {
        const { service, namespace = reach.namespace } = grpcTargetOf(path);
        return `${service}.${namespace}.${reach.hostSuffix}`;
      }
    },
  );
}
