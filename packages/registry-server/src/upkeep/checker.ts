import { createHash } from 'node:crypto';
import {
  type HealthCheck,
  type InstanceStatus,
  instanceKeyOf,
  type InstanceKey,
} from '@rollcall/contract';
import type { Loop, Supervisor } from '@rollcall/daemon';
import type { Clock } from '@rollcall/runtime';
import { type InstanceRecord } from '../store/record.ts';
import type { Store } from '../store/store.ts';
import type { Picture } from '../picture/picture.ts';
import { SELF } from '../picture/instances/own-service.ts';

const TICK_MS = 250;

interface Checked {
  dueAtMs: number;
  isRunning: boolean;
  passes: number;
  failures: number;
}

/** Runs one check. Resolves with whether it passed; never rejects. */
export type RunCheck = (record: InstanceRecord, check: HealthCheck) => Promise<boolean>;

export interface CheckerOptions {
  readonly store: Store;
  readonly picture: Picture;
  readonly clock: Clock;
  readonly supervisor: Supervisor;
  /** Instance id of this server. */
  readonly self: string;
  readonly runCheck: RunCheck;
}

/**
 * Checks the persistent instances, which have no lease, and sets their status. Rendezvous hashing chooses one of the
 * registry servers on the roll for each instance. While the servers see different rolls, two may check the same one;
 * that is harmless, since an unchanged status takes no revision.
 */
export class Checker {
  readonly #options: CheckerOptions;
  readonly #checked = new Map<string, Checked>();
  readonly #loop: Loop;

  constructor(options: CheckerOptions) {
    this.#options = options;
    this.#loop = options.supervisor.every('checker', TICK_MS, () => this.tick());
  }

  /** Starts the checks that are due. */
  tick(): void {
    const { picture, clock } = this.#options;
    const nowMs = clock.monotonicMs();
    const seen = new Set<string>();
    const servers = (picture.service(SELF.namespace, SELF.service)?.endpoints ?? [])
      .filter(({ tier }) => tier === 0)
      .map(({ instance }) => instance);
    for (const record of picture.persistentInstances()) {
      if (record.body.check === undefined) continue;
      const instanceKey = instanceKeyOf(record);
      seen.add(instanceKey);
      const checked = this.#checked.get(instanceKey) ?? {
        dueAtMs: nowMs,
        isRunning: false,
        passes: 0,
        failures: 0,
      };
      this.#checked.set(instanceKey, checked);
      if (checked.isRunning || checked.dueAtMs > nowMs) continue;
      checked.dueAtMs = nowMs + record.body.check.intervalMs;
      if (!this.#isMine(instanceKey, servers)) continue;
      const { check } = record.body;
      checked.isRunning = true;
      void this.#options.supervisor.run('checker', () => this.#check(record, check, checked));
    }
    for (const instanceKey of this.#checked.keys())
      if (!seen.has(instanceKey)) this.#checked.delete(instanceKey);
  }

  close(): void {
    this.#loop.cancel();
  }

  #isMine(instanceKey: InstanceKey, servers: readonly string[]): boolean {
    if (!servers.includes(this.#options.self)) return servers.length === 0;
    const weightOf = (server: string) =>
      createHash('sha1').update(`${server} ${instanceKey}`).digest('hex');
    return servers.every((server) => weightOf(server) <= weightOf(this.#options.self));
  }

  /** Rejects when the store is away; the next check sets the status again. */
  async #check(record: InstanceRecord, check: HealthCheck, checked: Checked): Promise<void> {
    const { store, picture, runCheck } = this.#options;
    try {
      const isPass = await runCheck(record, check);
      checked.passes = isPass ? checked.passes + 1 : 0;
      checked.failures = isPass ? 0 : checked.failures + 1;
      const status = statusAfter(record.body.status, check, checked);
      if (status === record.body.status) return;
      const instanceKey = instanceKeyOf(record);
      await store.update({
        instanceKey,
        lease: undefined,
        patch: { status },
        floor: picture.revision,
      });
    } finally {
      checked.isRunning = false;
    }
  }
}

/** One pass is enough for an instance that was never checked before. */
function statusAfter(status: InstanceStatus, check: HealthCheck, checked: Checked): InstanceStatus {
  const passesNeeded = status === 'starting' ? 1 : check.healthyThreshold;
  if (checked.passes >= passesNeeded && status !== 'draining') return 'up';
  if (checked.failures >= check.unhealthyThreshold && status !== 'draining') return 'down';
  return status;
}
