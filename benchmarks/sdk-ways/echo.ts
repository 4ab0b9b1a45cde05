const same = (bytes: Buffer) => bytes;

/** A method that answers with what was sent. */
export const ECHO = {
  path: '/bench.Echo/Echo',
  requestStream: false,
  responseStream: false,
  requestSerialize: same,
  requestDeserialize: same,
  responseSerialize: same,
  responseDeserialize: same,
} as const;
