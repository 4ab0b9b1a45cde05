const same = (bytes: Buffer) => bytes;

/** A call that is answered with what was sent. */
export const NAME = {
  path: '/shop.Orders/Name',
  requestStream: false,
  responseStream: false,
  requestSerialize: same,
  requestDeserialize: same,
  responseSerialize: same,
  responseDeserialize: same,
} as const;

export const GRPC_SERVICE = { name: NAME };
