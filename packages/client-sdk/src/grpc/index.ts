import { type ChannelOptions, experimental } from '@grpc/grpc-js';
import { reachOf } from '../calls/reach.ts';
import { RollcallError } from '../base/error.ts';
import type { Rollcall } from '../rollcall.ts';
import { ServicePolicy, ServicePolicyConfig } from './service-policy.ts';
import { POLICY, ServiceResolver } from './service-resolver.ts';
import { grpcTargetOf } from './target.ts';

/** What is used of `experimental`, which may change with any version of grpc-js. */
const NEEDED = [
  'registerResolver',
  'registerLoadBalancerType',
  'LeafLoadBalancer',
  'createChildChannelControlHelper',
  'statusOrFromValue',
] as const;

export interface GrpcOptions {
  /** Scheme of the targets. Choose another one for a second client. @default 'rollcall' */
  readonly scheme?: string;
}

/**
 * Lets every channel of `@grpc/grpc-js` reach `rollcall:///orders` (also `orders.shop` with a namespace, `orders:admin`
 * with the name of a port; by default the port `grpc`, else `http`, else the first). Instances that come and go are
 * called, and called no more, at once. Calls are balanced by the policy of the client, over the same pool as every other
 * way of calling. Retries are those of the service config.
 *
 * Throws a {@link RollcallError} `invalid_options` for a version of grpc-js that it cannot work with.
 */
export function registerGrpcResolver(rollcall: Rollcall, options: GrpcOptions = {}): void {
  const reach = reachOf(rollcall);
  const missing = NEEDED.filter((name) => !(name in experimental));
  if (missing.length > 0) {
    throw new RollcallError(
      'invalid_options',
      `expected @grpc/grpc-js 1.14 or later: this version has no experimental.${missing.join(', ')}`,
      { field: 'grpc' },
    );
  }
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
