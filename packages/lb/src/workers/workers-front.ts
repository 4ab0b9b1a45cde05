import { availableParallelism } from 'node:os';
import type { CalledTarget } from '@rollcall/client-sdk';
import { type BoundSocket, createHttpCounters, hasSameSourceLimits } from '@rollcall/dataplane';
import type { FrontConfig } from '../config/schema.ts';
import type { FrontReport } from '../front/front-report.ts';
import type { Front, WorkersState } from '../front/front.ts';
import type { LiveTargetGroup } from '../groups/target-group.ts';
import type { TargetHistory } from '../groups/target-history.ts';
import { reportTarget } from '../groups/target-report.ts';
import { ListenFailure } from '../listeners/listen-failure.ts';
import { planListeners, type PlannedListener, urlOf } from '../listeners/listener-plan.ts';
import { type Step, Steps } from '../reload/step.ts';
import { GroupRelay } from './group-relay.ts';
import { mergeReports } from './merged-report.ts';
import type { TargetCalls } from './messages.ts';
import type { Sockets } from './sockets.ts';
import type { Assignment, Worker } from './worker.ts';
import { type CrewParts, WorkerCrew } from './worker-crew.ts';

type Groups = ReadonlyMap<string, LiveTargetGroup>;

export interface WorkersFrontParts extends Omit<CrewParts, 'onCalls' | 'onNoted'> {
  readonly history: TargetHistory;
  readonly sockets: Sockets;
}

const NOTHING: FrontReport = Object.freeze({
  counters: createHttpCounters(),
  traffic: {},
  targets: {},
  queues: {},
  handshakes: {},
  droppedLines: 0,
});

/** Carries requests in several processes. It binds the sockets, follows the targets, and adds up what they have done. */
export class WorkersFront implements Front {
  readonly #parts: WorkersFrontParts;
  readonly #crew: WorkerCrew;
  readonly #relayOf = new Map<LiveTargetGroup, GroupRelay>();
  /** By worker, then by source and id of the target: its calls under way. */
  readonly #inFlight = new Map<Worker, ReadonlyMap<string, number>>();
  #current: Assignment | undefined;
  #plan: readonly PlannedListener[] = [];
  #lastVersion = 0;
  #lastRelay = 0;

  constructor(parts: WorkersFrontParts) {
    this.#parts = parts;
    this.#crew = new WorkerCrew({
      ...parts,
      onCalls: (worker, calls) => this.#noteCalls(worker, calls),
      onNoted: (source, target, change) => {
        const followed = [...this.#relayOf.values()].find(({ id }) => id === source);
        if (followed !== undefined) parts.history.add(followed.group.name, target, change);
      },
    });
  }

  get workers(): WorkersState {
    return this.#crew.state;
  }

  get addresses(): Readonly<Record<string, string>> {
    const entries = this.#plan.map(({ key, config }) => {
      return [config.name, urlOf(config, this.#current!.sockets.get(key)!.address)] as const;
    });
    return Object.fromEntries(entries);
  }

  async prepare(next: FrontConfig, groups: Groups): Promise<Step> {
    const plan = planListeners(next, this.#parts.passed);
    const steps = new Steps();
    try {
      const sockets = await this.#bind(plan, steps);
      const relays = this.#follow(groups, steps);
      const version = ++this.#lastVersion;
      const last = this.#current;
      const hasSameLimits =
        last !== undefined && hasSameSourceLimits(last.config.limits, next.limits);
      const limitsVersion = hasSameLimits ? last.limitsVersion : version;
      const assignment = { version, limitsVersion, config: carriedOf(next), sockets, relays };
      steps.add(await this.#crew.prepare(assignment, countOf(next)));
      return {
        commit: () => {
          steps.commit();
          this.#replace(assignment, plan);
        },
        undo: () => steps.undo(),
      };
    } catch (error) {
      await steps.undo();
      throw error;
    }
  }

  async report(): Promise<FrontReport> {
    const groups = [...this.#relayOf.keys()];
    const own = groups.map((group) => [group.name, group.targets().map(reportTarget)] as const);
    const first = { ...NOTHING, targets: Object.fromEntries(own) };
    const { latest, departed } = await this.#crew.report();
    const present = mergeReports([first, ...latest]);
    if (departed === undefined) return present;
    return mergeReports([present, { ...departed, targets: knownOnly(departed.targets, present) }]);
  }

  calledTargets(group: LiveTargetGroup): CalledTarget[] {
    const source = this.#relayOf.get(group)?.id;
    return group.targets().map(({ id, traffic }) => {
      let inFlight = 0;
      for (const counts of this.#inFlight.values()) inFlight += counts.get(`${source} ${id}`) ?? 0;
      return { id, traffic, inFlight };
    });
  }

  tick(): void {
    for (const relay of this.#relayOf.values()) if (!relay.group.hasPicture) relay.flush();
    this.#crew.tick();
  }

  async close(graceMs: number): Promise<void> {
    await this.#crew.close(graceMs);
    for (const relay of this.#relayOf.values()) relay.close();
    for (const socket of this.#current?.sockets.values() ?? []) socket.close();
  }

  /** Binds the sockets that are missing. @throws ListenFailure that names the listener. */
  async #bind(
    plan: readonly PlannedListener[],
    steps: Steps,
  ): Promise<ReadonlyMap<string, BoundSocket>> {
    const sockets = new Map<string, BoundSocket>();
    const missing: PlannedListener[] = [];
    for (const planned of plan) {
      const known = this.#current?.sockets.get(planned.key);
      if (known === undefined) missing.push(planned);
      else sockets.set(planned.key, known);
    }
    // One that was removed may still have what is needed now.
    if (missing.length > 0 && this.#current !== undefined) await this.#crew.settled();
    for (const planned of missing) {
      const { host, port } = planned.config;
      const socket = await this.#parts.sockets
        .bind({ host, port, fd: planned.fd }, planned.key)
        .catch((error: unknown) => {
          throw new ListenFailure(planned, error);
        });
      steps.add({ commit() {}, undo: () => socket.close() });
      sockets.set(planned.key, socket);
    }
    return sockets;
  }

  #follow(groups: Groups, steps: Steps): ReadonlyMap<string, GroupRelay> {
    const relays = new Map<string, GroupRelay>();
    for (const [name, group] of groups) {
      let relay = this.#relayOf.get(group);
      if (relay === undefined) {
        const created = new GroupRelay(++this.#lastRelay, group, (message) =>
          this.#crew.tellOf(created, message),
        );
        relay = created;
        this.#relayOf.set(group, created);
        steps.add({ commit() {}, undo: () => this.#leave(created) });
      }
      relays.set(name, relay);
    }
    return relays;
  }

  #replace(next: Assignment, plan: readonly PlannedListener[]): void {
    const last = this.#current;
    this.#current = next;
    this.#plan = plan;
    const used = new Set(next.sockets.values());
    for (const socket of last?.sockets.values() ?? []) if (!used.has(socket)) socket.close();
    const followed = new Set(next.relays.values());
    for (const relay of this.#relayOf.values()) if (!followed.has(relay)) this.#leave(relay);
  }

  #leave(relay: GroupRelay): void {
    relay.close();
    this.#relayOf.delete(relay.group);
  }

  #noteCalls(worker: Worker, calls: readonly TargetCalls[]): void {
    if (calls.length === 0) this.#inFlight.delete(worker);
    else {
      const counts = calls.map(
        ({ source, id, inFlight }) => [`${source} ${id}`, inFlight] as const,
      );
      this.#inFlight.set(worker, new Map(counts));
    }
    for (const relay of this.#relayOf.values()) relay.addCalls(calls);
  }
}

/** What workers need of a configuration: no secret of the registry is among it. */
function carriedOf(config: FrontConfig): FrontConfig {
  const { listeners, targetGroups, accessLog, timeouts, limits, shutdown, io, workers } = config;
  const { trustForwarded, underscoresInHeaders, cookieKeyFile, requestId } = config;
  const rules = { trustForwarded, underscoresInHeaders, cookieKeyFile, requestId };
  return { listeners, targetGroups, accessLog, timeouts, limits, shutdown, io, workers, ...rules };
}

function countOf({ workers = 'auto' }: FrontConfig): number {
  return workers === 'auto' ? availableParallelism() : workers;
}

/** The targets that another report has too. */
function knownOnly(targets: FrontReport['targets'], present: FrontReport): FrontReport['targets'] {
  const entries = Object.entries(present.targets).map(([name, wanted]) => {
    const ids = new Set(wanted.map(({ id }) => id));
    return [name, (targets[name] ?? []).filter(({ id }) => ids.has(id))] as const;
  });
  return Object.fromEntries(entries);
}
