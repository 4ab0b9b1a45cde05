import { int, spec } from './option-spec.ts';

/** What a server takes at most. */
export const LIMIT_OPTIONS = {
  maxBodyBytes: spec({
    flag: 'max-body-bytes',
    env: 'ROLLCALL_MAX_BODY_BYTES',
    value: 'BYTES',
    help: 'Largest request body; larger ones are refused with body_too_large. Ten thousand leases in one renewal take 600 kB.',
    schema: int(1_024, 67_108_864).default(1_048_576),
  }),
  maxLabels: spec({
    flag: 'max-labels',
    env: 'ROLLCALL_MAX_LABELS',
    value: 'COUNT',
    help: 'Most labels of an instance; more are refused with too_many_labels.',
    schema: int(1, 1_000).default(64),
  }),
  maxLabelLength: spec({
    flag: 'max-label-length',
    env: 'ROLLCALL_MAX_LABEL_LENGTH',
    value: 'COUNT',
    help: 'Most characters of a label value; longer ones are refused with label_too_long.',
    schema: int(1, 4_096).default(63),
  }),
  maxInstancesPerService: spec({
    flag: 'max-instances-per-service',
    env: 'ROLLCALL_MAX_INSTANCES_PER_SERVICE',
    value: 'COUNT',
    help: 'Most instances of a service; one more is refused with service_full.',
    schema: int(1, 1_000_000).default(10_000),
  }),
  maxWatches: spec({
    flag: 'max-watches',
    env: 'ROLLCALL_MAX_WATCHES',
    value: 'COUNT',
    help: 'Most watch streams that this server holds open; one more is refused with too_many_watches.',
    schema: int(1, 1_000_000).default(10_000),
  }),
  maxHolds: spec({
    flag: 'max-holds',
    env: 'ROLLCALL_MAX_HOLDS',
    value: 'COUNT',
    help: 'Most hold streams that this server holds open; one more is refused with too_many_watches.',
    schema: int(1, 1_000_000).default(50_000),
  }),
  maxWritesPerSecond: spec({
    flag: 'max-writes-per-second',
    env: 'ROLLCALL_MAX_WRITES_PER_SECOND',
    value: 'COUNT',
    help: 'Most registrations and changes of one caller (token, else address) in a second; more are refused with rate_limited. Heartbeats do not count. 0 = no limit.',
    schema: int(0, 1_000_000).default(1_000),
  }),
  maxHeartbeatsPerSecond: spec({
    flag: 'max-heartbeats-per-second',
    env: 'ROLLCALL_MAX_HEARTBEATS_PER_SECOND',
    value: 'COUNT',
    help: 'Most heartbeats, single or batched, of one caller (token, else address) in a second; a batch counts as one for each 100 leases. More are refused with rate_limited. 0 = no limit.',
    schema: int(0, 10_000_000).default(20_000),
  }),
  maxSnapshotsPerSecond: spec({
    flag: 'max-snapshots-per-second',
    env: 'ROLLCALL_MAX_SNAPSHOTS_PER_SECOND',
    value: 'COUNT',
    help: 'Most watch streams that begin with snapshots in a second, since many clients may come back at once; more are refused with overloaded and told when it is their turn. Those that resume do not count. 0 = no limit.',
    schema: int(0, 1_000_000).default(1_000),
  }),
  maxRequestsInFlight: spec({
    flag: 'max-requests-in-flight',
    env: 'ROLLCALL_MAX_REQUESTS_IN_FLIGHT',
    value: 'COUNT',
    help: 'Requests under way at which reads are refused with overloaded; writes are at twice as many; heartbeats, holds and deregistrations at four times as many. 0 = no limit.',
    schema: int(0, 1_000_000).default(2_000),
  }),
  maxLoopDelayMs: spec({
    flag: 'max-loop-delay-ms',
    env: 'ROLLCALL_MAX_LOOP_DELAY_MS',
    value: 'MS',
    help: 'Standing delay of the event loop at which reads and new watches are refused with overloaded; writes are at twice, heartbeats, holds and deregistrations at four times the delay. 0 = no limit.',
    schema: int(0, 60_000).default(250),
  }),
} as const;
