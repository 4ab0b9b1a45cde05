import { Supervisor } from '@rollcall/daemon';
import { PROBLEMS, type RouteName, ROUTES } from '@rollcall/contract';
import type { z } from 'zod';
import { readConfig } from '../config.ts';
import { type Core, createCore, type StoreEvents } from '../core.ts';
import type { Binder, Call } from '../http/call.ts';
import { bindAcknowledgements } from '../http/acknowledgements.ts';
import { bindInstances } from '../http/instances.ts';
import { bindLeases } from '../http/leases.ts';
import { asProblem } from '../http/problems.ts';
import { bindReads } from '../http/reads.ts';
import { bindTraffic } from '../http/traffic.ts';
import { bindWatch } from '../http/watch.ts';
import { Admission } from '../access/admission.ts';
import { EVERYTHING } from '../access/caller.ts';
import { TrafficBoard } from '../views/traffic-board.ts';
import { AddressRules } from '../writes/declared/drafts/address-rules.ts';
import type { Clock, Random } from '@rollcall/runtime';
import { type Store, StoreUnavailableError } from '../store/store.ts';
import type { EventStream } from '../watch/stream.ts';

export interface BareServerParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  /** Flags as on the command line. */
  readonly flags?: readonly string[];
  readonly told?: Partial<StoreEvents>;
}

/** A call with the contents of a request. */
export interface BareCall {
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, unknown>>;
  readonly body?: unknown;
  /** For a route that replies with a stream: opens it. Called after all checks. */
  readonly stream?: () => EventStream;
  /** Whether the caller has closed the connection. @default never */
  readonly isGone?: () => boolean;
}

/** The answer to a call, as over HTTP but not encoded. */
export interface BareReply {
  readonly status: number;
  /** For a refusal: when to try again, in s; undefined where a retry does not help. */
  readonly retryAfterSeconds: number | undefined;
  readonly body: unknown;
}

type Handler = (call: Call<RouteName>) => Promise<unknown>;

/**
 * A registry server without a network: the same core and the same route handlers, called directly. Its creator supplies
 * store, clock and randomness, so it can run on simulated time.
 */
export class BareServer {
  readonly core: Core;
  readonly #handlers = new Map<RouteName, Handler>();
  readonly #stop = new AbortController();
  readonly #shutdownMs: number;
  readonly #clock: Clock;
  #isClosing = false;

  constructor({ store, clock, random, flags = [], told = {} }: BareServerParts) {
    const config = readConfig(['--max-writes-per-second=0', ...flags], {});
    const admission = new Admission(config, { isPublic: false, allowed: [] });
    const silent = { reachable() {}, restored() {}, loaded() {}, writable() {}, unreadable() {} };
    this.core = createCore({
      seal: undefined,
      store,
      clock,
      random,
      supervisor: new Supervisor({
        clock,
        isExpected: (error) => error instanceof StoreUnavailableError,
        // A real server would log this fault. On simulated time none may happen, so it fails the test.
        onFault: (loop, error) =>
          queueMicrotask(() => {
            throw new Error(`a fault in ${loop}`, { cause: error });
          }),
      }),
      admission,
      rules: new AddressRules(config),
      config,
      told: { ...silent, ...told },
    });
    this.#clock = clock;
    this.#shutdownMs = config.shutdownMs;
    const { registry, holds, picture, hub, warmUp, timeline } = this.core;
    const handlers = this.#handlers;
    const binder: Binder = {
      bind: (name, handle) => void handlers.set(name, handle),
    };
    bindInstances(binder, registry, config);
    bindLeases(binder, { registry, holds });
    bindReads(binder, { picture, warmUp, timeline });
    const traffic = new TrafficBoard(clock);
    bindTraffic(binder, { ...config, traffic, picture, server: 'bare' });
    bindWatch(binder, { ...config, picture, hub, warmUp, isClosing: () => this.#isClosing });
    const { seenDrains } = this.core;
    bindAcknowledgements(binder, { ...config, picture, hub, seenDrains, admission, clock });
    void this.core.follower.run(this.#stop.signal);
  }

  /** Makes a call. A refusal is an answer; this rejects only when the route is not bound or the handler fails. */
  async call(name: RouteName, given: BareCall): Promise<BareReply> {
    const handle = this.#handlers.get(name);
    if (handle === undefined) throw new Error(`no handler of ${name}`);
    const route = ROUTES[name];
    const part = (which: 'params' | 'query' | 'body') => {
      const schema = (route as { readonly [part in typeof which]?: z.ZodType })[which];
      return schema?.parse(given[which] ?? {});
    };
    try {
      const body = await handle({
        params: part('params'),
        query: part('query'),
        body: part('body'),
        caller: { grants: EVERYTHING, peerAddress: '127.0.0.1' },
        reply: { header() {} },
        headers: {},
        stream: given.stream,
        isGone: given.isGone ?? (() => false),
      } as unknown as Call<RouteName>);
      return { status: route.reply.status, retryAfterSeconds: undefined, body };
    } catch (error) {
      const problem = asProblem(error);
      if (problem.code === 'internal_error') throw error;
      const { status, code, retryAfterSeconds } = problem;
      const after = PROBLEMS[code].retryable ? (retryAfterSeconds ?? 1) : undefined;
      return { status, retryAfterSeconds: after, body: problem.toProblem() };
    }
  }

  /** Stops gracefully: tells the streams to move, gives them time, and then ends everything. */
  async leave(): Promise<void> {
    this.#isClosing = true;
    const { hub, holds } = this.core;
    hub.move();
    holds.move();
    const endMs = this.#clock.monotonicMs() + this.#shutdownMs;
    while (hub.size + holds.size > 0 && this.#clock.monotonicMs() < endMs) {
      await new Promise<void>((resolve) => void this.#clock.after(20, resolve));
    }
    this.stop();
  }

  /** Ends at once. */
  stop(): void {
    this.#isClosing = true;
    this.core.close();
    this.#stop.abort();
  }
}
