import { RollcallError } from '../base/error.ts';

/** What is used of `experimental` of grpc-js, which may change with any of its versions. */
const NEEDED = [
  'registerResolver',
  'registerLoadBalancerType',
  'LeafLoadBalancer',
  'createChildChannelControlHelper',
  'parseDuration',
  'statusOrFromValue',
] as const;

/** Throws a {@link RollcallError} `invalid_options` for a version of grpc-js that lacks something of it. */
export function assertNeeded(experimental: object): void {
  const missing = NEEDED.filter((name) => !(name in experimental));
  if (missing.length === 0) return;
  throw new RollcallError(
    'invalid_options',
    `expected @grpc/grpc-js 1.14 or later: this version lacks experimental.${missing.join(', ')}`,
    { field: 'grpc' },
  );
}
