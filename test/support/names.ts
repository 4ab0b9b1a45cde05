const same = (bytes: Buffer) => bytes;

/** A call that is answered with a name, and does not end by itself. */
export const NAMES = {
  path: '/test.Streams/Names',
  requestStream: false,
  responseStream: true,
  requestSerialize: same,
  requestDeserialize: same,
  responseSerialize: same,
  responseDeserialize: same,
} as const;
