/** A defect that is put into a copy of the product, to check that the tests of a promise fail. */
export interface PlantedBug {
  readonly promise: 'G1' | 'G2' | 'G3' | 'G4' | 'G5' | 'G6' | 'G7' | 'G8';
  /** What the product would do wrong. */
  readonly what: string;
  readonly file: string;
  /** Must occur in the file exactly once. */
  readonly find: string;
  readonly replace: string;
  /** The test that must notice it: its file, and a part of its name. */
  readonly test: { readonly file: string; readonly name: string };
}

const REGISTRY = 'packages/registry-server/src';
const SDK = 'packages/client-sdk/src';
const CONFORMANCE = `${REGISTRY}/store/store.test.ts`;
const SIMULATION = { file: 'simulation/simulation.test.ts', name: 'seeds of a fleet' };
/** For what the memory driver has not, or does in another way: only simulated fleets on Redis show it. */
const SIMULATION_ON_REDIS = { file: SIMULATION.file, name: 'G4, G5: both on the Lua' };

/** docs/promises.md is generated from this table. */
export const PLANTED_BUGS: readonly PlantedBug[] = [
  {
    promise: 'G1',
    what: 'a heartbeat moves no deadline (Redis)',
    file: 'packages/registry-server/lua/renew.lua',
    find: 'deadline = text(nowMs + tonumber(ttl))',
    replace: "deadline = '0'",
    test: { file: CONFORMANCE, name: 'G1: a lease renewed before its deadline' },
  },
  {
    promise: 'G1',
    what: 'a heartbeat waits for a server that hangs until the lease is over',
    file: `${SDK}/registration/lease-keeper.ts`,
    find: 'return Math.min(this.#options.requestTimeoutMs, ...patiencesMs);',
    replace: 'return this.#options.requestTimeoutMs + patiencesMs.length;',
    test: {
      file: `${SDK}/registration/instance-registration.test.ts`,
      name: 'G1: of two servers one hangs',
    },
  },
  {
    promise: 'G2',
    what: 'the end of a hold tells nobody',
    file: `${REGISTRY}/watch/holds.ts`,
    find: "if (end !== 'peer' || this.#isClosing) return;",
    replace: 'if (end !== undefined) return;',
    test: { file: `${REGISTRY}/watch/watch.test.ts`, name: 'G2: closing a hold' },
  },
  {
    promise: 'G2',
    what: 'a silent instance stays for another TTL',
    file: `${REGISTRY}/store/rules/sweep.ts`,
    find: 'if (entry[1] <= nowMs) due.push(entry);',
    replace: 'if (entry[1] + ttlOfLease(entry[0]) <= nowMs) due.push(entry);',
    test: { file: 'test/robustness/stops.test.ts', name: 'G2: an instance stopped' },
  },
  {
    promise: 'G3',
    what: 'a follower takes whatever comes for the next entry',
    file: `${REGISTRY}/picture/follower.ts`,
    find: 'if (first.prev !== revision || first.before !== digest || !isChain(page.entries)) {',
    replace: 'if (first.revision < 0) {',
    test: { file: `${REGISTRY}/picture/follower.test.ts`, name: 'G3, G4' },
  },
  {
    promise: 'G3',
    what: 'a stream that resumes misses the first change after its revision',
    file: `${REGISTRY}/watch/history.ts`,
    find: 'return this.#changes.slice(from).filter(',
    replace: 'return this.#changes.slice(from + 1).filter(',
    test: {
      file: `${REGISTRY}/watch/flapping.test.ts`,
      name: 'G3: whoever comes, goes and resumes',
    },
  },
  {
    promise: 'G4',
    what: 'after a wipe of the store a client is deaf to the stream that outlived it',
    file: `${SDK}/directory/service-feed.ts`,
    find: 'this.#picture = ofEpoch(this.#picture, before, epoch);',
    replace: 'this.#picture = ofEpoch(this.#picture, epoch, epoch);',
    test: {
      file: `${SDK}/directory/lost-past.test.ts`,
      name: 'G4: a stream that outlives a wipe',
    },
  },
  {
    promise: 'G4',
    what: 'two primaries with the same revisions are taken for one',
    file: `${REGISTRY}/store/rules/partition.ts`,
    find: "return createHash('sha1').update(text).digest('hex').slice(0, 12);",
    replace: "return createHash('sha1').update(text.slice(0, 0)).digest('hex').slice(0, 12);",
    test: { file: 'simulation/simulation.test.ts', name: 'G4, G5: two primaries' },
  },
  {
    promise: 'G5',
    what: 'who left comes back with the picture of another primary',
    file: `${REGISTRY}/store/rules/restore.ts`,
    find: 'if (partition.tombstones.has(`x:${offered.lease}`)) return 0;',
    replace: '',
    test: { file: CONFORMANCE, name: 'G5: of two primaries one saw an instance leave' },
  },
  {
    promise: 'G5',
    what: 'after a pause of the store everybody is evicted at once',
    file: `${REGISTRY}/store/rules/sweep.ts`,
    find: 'const lengthMs = Math.min(pauseMs * 2, longest);',
    replace: 'const lengthMs = Math.min(pauseMs * 0, longest);',
    test: SIMULATION,
  },
  {
    promise: 'G5',
    what: 'a client takes the empty snapshot of a new store for the truth',
    file: `${SDK}/directory/picture.ts`,
    find: 'const isSameStore = previous?.epoch === event.epoch;\n  if',
    replace: 'const isSameStore = previous !== undefined;\n  if',
    test: {
      file: `${SDK}/directory/directory.test.ts`,
      name: 'a registry that comes back with an empty store empties nobody',
    },
  },
  {
    promise: 'G6',
    what: 'a stale lease may still change the instance of its successor',
    file: 'packages/registry-server/lua/update.lua',
    find: "if lease ~= '' and lease ~= record.lease then return { 'superseded' } end",
    replace: '',
    test: { file: CONFORMANCE, name: 'G6: a lease that has a successor' },
  },
  {
    promise: 'G6',
    what: 'a process that was stopped registers over its successor, who lives',
    file: `${REGISTRY}/store/rules/grant.ts`,
    find: "if (isOther && !takeover && isClosed) return 'taken';",
    replace: "if (isClosed && nonce.length < 0) return 'taken';",
    test: { file: CONFORMANCE, name: 'another nonce is refused while the holder lives' },
  },
  {
    promise: 'G7',
    what: 'the budget of retries never ends',
    file: 'packages/balancing/src/retry-budget.ts',
    find: 'if (this.#tokens < 1) return false;',
    replace: 'if (this.#tokens < -1e9) return false;',
    test: { file: 'packages/balancing/src/retry-budget.test.ts', name: 'retries never exceed' },
  },
  {
    promise: 'G7',
    what: 'reads are let in whatever is under way',
    file: `${REGISTRY}/http/load/load-gate.ts`,
    find: 'const SHARES: Readonly<Record<Shed, number>> = { read: 1, write: 2, vital: 4 };',
    replace: 'const SHARES: Readonly<Record<Shed, number>> = { read: 99, write: 99, vital: 99 };',
    test: { file: `${REGISTRY}/http/load/guard-load.test.ts`, name: 'G7: with too much under way' },
  },
  {
    promise: 'G8',
    what: 'a POST whose instance died is sent to another one',
    file: `${SDK}/calls/request-fault.ts`,
    find: 'return idempotent ?? IDEMPOTENT.has(method);',
    replace: 'return idempotent ?? method.length > 0;',
    test: { file: `${SDK}/calls/call.test.ts`, name: 'the instance dies under the request' },
  },
  {
    promise: 'G2',
    what: 'after an older dump everybody is up on its word (Redis)',
    file: 'packages/registry-server/lua/expire.lua',
    find: 'if lastSweep and (isOther or nowMs - lastSweep > longest) then',
    replace: 'if lastSweep and isOther and nowMs < 0 then',
    test: { file: CONFORMANCE, name: 'G2: after a pause longer than every lease' },
  },
  {
    promise: 'G5',
    what: 'what was given back is believed though the store forgot it again',
    file: `${REGISTRY}/picture/follower.ts`,
    find: 'return (await hasLost()) ? undefined : read;',
    replace: 'return read;',
    test: { file: `${REGISTRY}/picture/follower.test.ts`, name: 'G5: a store that forgets right' },
  },
  {
    promise: 'G6',
    what: 'a hold that broke opens the door to a process that was displaced',
    file: `${REGISTRY}/store/rules/grant.ts`,
    find: "const isClosed = isFormer || (isLive && record.doubt !== 'suspect');",
    replace: "const isClosed = isLive && record.doubt !== 'suspect';",
    test: { file: CONFORMANCE, name: 'stays so when the hold of its successor breaks' },
  },
  {
    promise: 'G7',
    what: 'a fault in a turn ends its loop',
    file: 'packages/daemon/src/supervisor.ts',
    find: 'state.isRunning = false;',
    replace: "state.isRunning = end === 'fault';",
    test: { file: 'packages/daemon/src/supervisor.test.ts', name: 'a loop goes on after a fault' },
  },
  {
    promise: 'G7',
    what: 'a sweep stops at what one script takes',
    file: `${REGISTRY}/upkeep/sweeper.ts`,
    find: 'while (outcome.more);',
    replace: 'while (outcome.more && this.totals.sweeps < 0);',
    test: { file: `${REGISTRY}/upkeep/sweeper.test.ts`, name: 'one round sweeps until' },
  },
  {
    promise: 'G8',
    what: 'a registration that arrives late puts back what was changed since (Redis)',
    file: 'packages/registry-server/lua/grant.lua',
    find: 'if isHolder and sequence > 0 and sequence <= record.sequence then',
    replace: 'if isHolder and sequence > 0 and sequence < 0 then',
    test: { file: CONFORMANCE, name: 'an older registration changes nothing' },
  },
  {
    promise: 'G4',
    what: 'two primaries with the same revisions are taken for one (Redis)',
    file: 'packages/registry-server/lua/prelude.lua',
    find: "redis.sha1hex(table.concat({ before, revision, op, key, value }, ' '))",
    replace: 'redis.sha1hex(revision)',
    test: SIMULATION_ON_REDIS,
  },
  {
    promise: 'G5',
    what: 'a primary that took over is believed, though it lacks the last goodbyes (Redis)',
    file: 'packages/registry-server/lua/expire.lua',
    find: 'return known and known ~= run',
    replace: 'return false',
    test: SIMULATION_ON_REDIS,
  },
  {
    promise: 'G4',
    what: 'what changed and changed back in one read of the log is shown to nobody',
    file: `${REGISTRY}/picture/runs.ts`,
    find: 'if (isMixed || isAlone || same.has(key)) {',
    replace: 'if (isMixed || isAlone) {',
    test: {
      file: `${REGISTRY}/picture/picture.test.ts`,
      name: 'G3, G4: who saw every entry',
    },
  },
];
