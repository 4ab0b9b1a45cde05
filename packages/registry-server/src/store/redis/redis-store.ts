import type { Redis } from 'ioredis';
import { z } from 'zod';
import type { LogPage, StoreHead } from '../log-entry.ts';
import * as limits from '../limits.ts';
import {
  type ChangeOutcome,
  type Continuity,
  type GrantOutcome,
  type GrantRequest,
  type HoldOutcome,
  type PutOutcome,
  type PutRequest,
  type RemoveOutcome,
  type RemoveRequest,
  type RenewOutcome,
  type RestoreOutcome,
  type RestoreRequest,
  type RevokeRequest,
  type SecondLook,
  type Store,
  type StoreSnapshot,
  StoreRefusalError,
  StoreUnavailableError,
  type SweepOutcome,
  type UpdateRequest,
  type Write,
} from '../store.ts';
import { decodeEntry, digestOfEntry } from './codec.ts';
import { type CommandOptions, defineCommands, type RunCommand } from './commands.ts';
import { forgetArguments } from './forget-arguments.ts';
import type { PartitionKeys } from './keys.ts';
import { offersOf } from './offers.ts';
import { argsOfPut, outcomeOfPut, PutReply } from './puts.ts';
import { RenewalQueue } from './renewals.ts';
import type { ScriptArguments, ScriptName } from './script-head.ts';
import { readSnapshot, revisionOf } from './snapshot.ts';

/**
 * How Redis reports that a script itself failed (since 7.0: `ERR user_script:12: attempt to …`, before: `ERR Error
 * running script …`). Any other error of a script comes from a command in it: access rights, memory, a wrong type.
 */
const SCRIPT_FAULT = /^ERR (user_script:\d+:|Error (compiling|running) script)/;

/** How many entries one `follow` returns at most. */
const MOST_ENTRIES = 500;

const Granted = z.union([
  z.tuple([z.literal('granted'), z.string(), z.string()]),
  z.tuple([z.enum(['taken', 'full', 'late'])]),
]);
const Renewed = z.tuple([z.array(z.string()), z.array(z.string())]);
const Held = z.union([
  z.tuple([z.literal('held'), z.string()]),
  z.tuple([z.enum(['unknown', 'superseded'])]),
]);
const Changed = z.union([
  z.tuple([z.literal('changed'), z.string()]),
  z.tuple([z.enum(['missing', 'unknown', 'superseded'])]),
]);
const Removed = z.union([
  z.tuple([z.literal('changed'), z.string()]),
  z.tuple([z.enum(['missing', 'other'])]),
]);
const Swept = z.tuple([z.int(), z.int(), z.string(), z.string(), z.string()]);
const Restored = z.union([
  z.tuple([z.int(), z.string(), z.string(), z.string()]),
  z.tuple([z.literal('lost')]),
]);

export interface RedisStoreOptions extends Omit<CommandOptions, 'keys'> {
  readonly keys: PartitionKeys;
  /** For commands. */
  readonly redis: Redis;
  /** Only for the blocking read of the log. */
  readonly reader: Redis;
  /** What an error says to people. @default its message */
  readonly explain?: (error: Error) => string;
  /** How long the guard holds, in ms. */
  readonly guardMs?: number | undefined;
  /** How long `follow` waits for an entry, in ms; 0 = it does not wait. @default 500 */
  readonly followWaitMs?: number | undefined;
}

/** The roll in Redis: each write is one script, the log is one stream. */
export class RedisStore implements Store {
  readonly #redis: Redis;
  readonly #reader: Redis;
  /** Connections that are being replaced. */
  readonly #leaving = new Set<Redis>();
  readonly #keys: PartitionKeys;
  readonly #explain: (error: Error) => string;
  readonly #guardMs: number;
  readonly #followWaitMs: number;
  readonly #run: RunCommand;
  readonly #renewals: RenewalQueue;

  constructor(options: RedisStoreOptions) {
    this.#redis = options.redis;
    this.#reader = options.reader;
    this.#keys = options.keys;
    this.#explain = options.explain ?? (({ message }) => message);
    this.#guardMs = options.guardMs ?? limits.DEFAULT_GUARD_MS;
    this.#followWaitMs = options.followWaitMs ?? limits.FOLLOW_WAIT_MS;
    this.#run = defineCommands(options.redis, options);
    this.#renewals = new RenewalQueue(async (leases, floor) => {
      const [unknown, superseded] = await this.#script(Renewed, 'renew', floor, {}, leases);
      return { unknown, superseded };
    });
  }

  async grant(request: GrantRequest): Promise<GrantOutcome> {
    const { instanceKey, lease, nonce, maxInstances, sequence = 0 } = request;
    const reply = await this.#script(Granted, 'grant', request.floor, {
      instanceKey,
      lease,
      nonce,
      takeover: request.takeover ? '1' : '0',
      body: JSON.stringify(request.body),
      maxInstances,
      sequence,
    });
    if (reply[0] !== 'granted') return { kind: reply[0] };
    return { kind: 'granted', lease: reply[1], revision: Number(reply[2]) };
  }

  renew(leases: readonly string[], { floor }: Write): Promise<RenewOutcome> {
    return this.#renewals.renew(leases, floor);
  }

  async hold(lease: string, { floor }: Write): Promise<HoldOutcome> {
    const reply = await this.#script(Held, 'hold', floor, { lease });
    return reply[0] === 'held' ? { kind: 'held', hold: Number(reply[1]) } : { kind: reply[0] };
  }

  async suspect(
    lease: string,
    hold: number,
    { floor, isSecondLook = false }: Write & SecondLook,
  ): Promise<boolean> {
    const args = { lease, hold: String(hold), isSecondLook: isSecondLook ? '1' : '0' };
    return (await this.#script(z.int(), 'suspect', floor, args)) === 1;
  }

  async update(request: UpdateRequest): Promise<ChangeOutcome> {
    const { instanceKey, lease = '', sequence = 0, floor } = request;
    const patch = JSON.stringify(request.patch);
    return this.#change('update', floor, { instanceKey, lease, patch, sequence });
  }

  async revoke(request: RevokeRequest): Promise<ChangeOutcome> {
    const { instanceKey, lease = '', nonce = '', sequence = 0, floor } = request;
    return this.#change('revoke', floor, { instanceKey, lease, nonce, sequence });
  }

  async expire({ floor }: Write): Promise<SweepOutcome> {
    const guardMs = this.#guardMs;
    const reply = await this.#script(Swept, 'expire', floor, { guardMs });
    const [expired, guarded, graceUntil, more, isUncertain] = reply;
    const graceUntilMs = Number(graceUntil);
    return { expired, guarded, graceUntilMs, more: more === '1', isUncertain: isUncertain === '1' };
  }

  async put(request: PutRequest): Promise<PutOutcome> {
    const { plan, values } = argsOfPut(request);
    const reply = await this.#script(PutReply, 'put', request.floor, { plan }, values);
    return outcomeOfPut(request, reply);
  }

  async remove({ key, floor, expected }: RemoveRequest): Promise<RemoveOutcome> {
    const args = { key, expected: expected ?? '' };
    const reply = await this.#script(Removed, 'remove', floor, args);
    if (reply[0] !== 'changed') return { kind: reply[0] };
    return { kind: reply[0], revision: Number(reply[1]) };
  }

  /**
   * Sends the offer in parts, so that none blocks Redis for long. Each part checks that the previous one is still
   * there: a store that lost its data in between must be offered everything again.
   */
  async restore(request: RestoreRequest): Promise<RestoreOutcome> {
    let taken = 0;
    let place: StoreHead | undefined;
    for (const offers of offersOf(request)) {
      const { revision: afterRevision = '', digest: afterDigest = '' } = place ?? {};
      const after = { afterRevision, afterDigest };
      const reply = await this.#script(Restored, 'restore', request.floor, after, offers);
      if (reply[0] === 'lost' || reply[1] !== (place?.epoch ?? reply[1])) throw forgotten();
      taken += reply[0];
      place = { epoch: reply[1], revision: revisionOf(reply[2]), digest: reply[3] };
    }
    // Even when nothing was taken: an earlier attempt may have been cut off here.
    await this.#script(z.int(), 'settle', request.floor, {});
    const head = await this.#head();
    if (place !== undefined && (await this.continuity(place)) === 'lost') throw forgotten();
    return { taken, head };
  }

  async follow(after: number, signal: AbortSignal): Promise<LogPage> {
    const from = ['STREAMS', this.#keys.log, `${after}-0`] as const;
    const waitMs = this.#followWaitMs;
    const reply = await this.#reach(() =>
      waitMs === 0
        ? this.#reader.xread('COUNT', MOST_ENTRIES, ...from)
        : this.#reader.xread('COUNT', MOST_ENTRIES, 'BLOCK', waitMs, ...from),
    );
    if (reply === null || reply === undefined) return { entries: [], head: await this.#head() };
    signal.throwIfAborted();
    return {
      entries: reply.flatMap(([, rows]) => rows.map(([id, flat]) => decodeEntry(id, flat))),
    };
  }

  async continuity(position: StoreHead): Promise<Continuity> {
    const { epoch, revision, digest } = await this.#head();
    if (epoch !== position.epoch || revision < position.revision) return 'lost';
    if (revision === position.revision) return digest === position.digest ? 'kept' : 'lost';
    const id = `${position.revision}-0`;
    const [own, first] = await this.#reach(() =>
      Promise.all([
        this.#redis.xrange(this.#keys.log, id, id),
        this.#redis.xrange(this.#keys.log, '-', '+', 'COUNT', 1),
      ]),
    );
    const [entry] = own;
    if (entry !== undefined) {
      return digestOfEntry(entry[1]) === position.digest ? 'kept' : 'lost';
    }
    const firstId = first[0]?.[0] ?? '0-0';
    return Number(firstId.slice(0, firstId.indexOf('-'))) > position.revision ? 'trimmed' : 'lost';
  }

  snapshot(): Promise<StoreSnapshot> {
    return this.#reach(() => readSnapshot(this.#redis, this.#keys));
  }

  async close(): Promise<void> {
    this.#redis.disconnect();
    this.#reader.disconnect();
  }

  /** A connection with an overdue answer hangs. A new connection detects that sooner than TCP does. */
  #reconnect(): void {
    for (const connection of [this.#redis, this.#reader]) {
      // The status stays `ready` until the hung server answers the close, or until the wait for that answer ends.
      if (connection.status !== 'ready' || this.#leaving.has(connection)) continue;
      this.#leaving.add(connection);
      connection.once('close', () => this.#leaving.delete(connection));
      connection.disconnect(true);
    }
  }

  /** An empty store has no epoch yet: the first write makes one, even a sweep. */
  async #head(): Promise<StoreHead> {
    const [epoch, last, digest] = await this.#reach(() =>
      this.#redis.hmget(this.#keys.meta, 'epoch', 'last', 'digest'),
    );
    return { epoch: epoch ?? '', revision: revisionOf(last), digest: digest ?? '' };
  }

  async #change<N extends 'update' | 'revoke'>(name: N, floor: number, args: ScriptArguments<N>) {
    const reply = await this.#script(Changed, name, floor, args);
    if (reply[0] !== 'changed') return { kind: reply[0] };
    return { kind: reply[0], revision: Number(reply[1]) };
  }

  async #script<T extends z.ZodType, N extends ScriptName>(
    schema: T,
    name: N,
    floor: number,
    args: ScriptArguments<N>,
    list?: readonly string[],
  ): Promise<z.output<T>> {
    return schema.parse(await this.#reach(() => this.#run(name, floor, args, list)));
  }

  /**
   * Any error from Redis or from the connection means that the store is unavailable. A fault in our script does not.
   */
  async #reach<T>(call: () => Promise<T>): Promise<T> {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof Error) || error instanceof StoreUnavailableError) throw error;
      forgetArguments(error);
      if (SCRIPT_FAULT.test(error.message)) throw error;
      // This server is a replica: a new connection may find the primary.
      const isReplica = error.message.startsWith('READONLY');
      if (error.message === 'Command timed out' || isReplica) this.#reconnect();
      const isRefusal = error.name === 'ReplyError' && !isReplica;
      const Unavailable = isRefusal ? StoreRefusalError : StoreUnavailableError;
      throw new Unavailable(`Redis: ${this.#explain(error)}`, { cause: error });
    }
  }
}

function forgotten(): StoreUnavailableError {
  return new StoreUnavailableError('Redis: it lost its data during the restore');
}
