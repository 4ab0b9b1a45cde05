import { HTTP_LIMITS, HTTP_TIMEOUTS } from '@rollcall/dataplane';
import { integer, ms, object, ratio } from './fields.ts';

export const Timeouts = object({
  handshakeMs: ms().default(HTTP_TIMEOUTS.handshakeMs),
  clientHeadMs: ms().default(HTTP_TIMEOUTS.clientHeadMs),
  clientBodyIdleMs: ms().default(HTTP_TIMEOUTS.clientBodyIdleMs),
  clientKeepAliveMs: ms().default(HTTP_TIMEOUTS.clientKeepAliveMs),
  writeStallMs: ms().default(HTTP_TIMEOUTS.writeStallMs),
  halfCloseMs: ms().default(HTTP_TIMEOUTS.halfCloseMs),
  lingerMs: ms().default(HTTP_TIMEOUTS.lingerMs),
  connectMs: ms().default(HTTP_TIMEOUTS.connectMs),
  responseMs: ms().default(HTTP_TIMEOUTS.responseMs),
  responseIdleMs: ms().default(HTTP_TIMEOUTS.responseIdleMs),
  requestMs: ms(0).default(HTTP_TIMEOUTS.requestMs),
  upstreamIdleMs: ms(0).default(HTTP_TIMEOUTS.upstreamIdleMs),
  tunnelIdleMs: ms().default(HTTP_TIMEOUTS.tunnelIdleMs),
});

const MEBIBYTE = 1_048_576;

export const Limits = object({
  headBytes: integer(1_024, MEBIBYTE, 'bytes').default(HTTP_LIMITS.headBytes),
  fieldCount: integer(8, 10_000).default(HTTP_LIMITS.fieldCount),
  replayBytes: integer(0, 16 * MEBIBYTE, 'bytes').default(HTTP_LIMITS.replayBytes),
  collectBytes: integer(0, 64 * MEBIBYTE, 'bytes').default(HTTP_LIMITS.collectBytes),
  attempts: integer(1, 20).default(HTTP_LIMITS.attempts),
  idlePerTarget: integer(0, 100_000).default(HTTP_LIMITS.idlePerTarget),
  clientConnections: integer(1, 10_000_000).default(HTTP_LIMITS.clientConnections),
  sourceConnections: integer(0, 10_000_000).default(HTTP_LIMITS.sourceConnections),
  sourceRequestsPerSecond: integer(0, 10_000_000).default(HTTP_LIMITS.sourceRequestsPerSecond),
  sourceBytesPerSecond: integer(0, 1_000_000_000_000, 'bytes').default(
    HTTP_LIMITS.sourceBytesPerSecond,
  ),
  handshakes: integer(1, 1_000_000).default(HTTP_LIMITS.handshakes),
  retryRatio: ratio.default(HTTP_LIMITS.retryRatio),
  retryReserve: integer(0, 1_000_000).default(HTTP_LIMITS.retryReserve),
});
