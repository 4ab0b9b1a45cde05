import type { LoopFaults, Tell } from '@rollcall/daemon';
import { type Clock, pause, type Timer } from '@rollcall/runtime';
import type { AdminPort } from './admin/admin-port.ts';
import { isDeepStrictEqual } from 'node:util';
import { openAdmin } from './admin/open-admin.ts';
import { takeOver } from './admin/take-over.ts';
import type { ConfigSource } from './config/config-source.ts';
import { describeChanges } from './config/changes.ts';
import { refuseFixedKeys } from './config/fixed-keys.ts';
import type { Config } from './config/schema.ts';
import type { Front } from './front/front.ts';
import type { TargetHistory } from './groups/target-history.ts';
import type { GroupsStep, TargetGroups } from './groups/target-groups.ts';
import type { LiveTargetGroup } from './groups/target-group.ts';
import { effectiveConfig, usesSecrets } from './ingress/effective-config.ts';
import type { IngressFollower } from './ingress/ingress-follower.ts';
import { ingressNotes } from './ingress/ingress-notes.ts';
import type { IngressReports } from './ingress/ingress-reports.ts';
import { OnceLog } from './ingress/once-log.ts';
import { addressesOf } from './ingress/reported-addresses.ts';
import { applyMoving } from './listeners/apply-moving.ts';
import type { Operations } from './operations/operations.ts';
import type { RegistryLink } from './registry/registry-link.ts';
import { ChangeRefused } from './config/change-refused.ts';
import { ConfigWatch } from './reload/config-watch.ts';
import { isExpected, Reloader, type ReloadResult } from './reload/reloader.ts';
import { Steps } from './reload/step.ts';
import type { BalancedServices } from './services/serve-services.ts';
import type { BalancerTls } from './tls/balancer-tls.ts';

const TICK_MS = 100;
const WATCH_MS = 1_000;
/** Routes of Ingresses that were refused are tried again after this, in ms. */
const INGRESS_RETRY_MS = 5_000;
/** A successor has reported where it answers for Ingresses after this, in ms. */
const SUCCESSOR_REPORTS_MS = 1_000;
/**
 * How long the start of listening waits for the targets, in ms. A client whose connection is refused may try another
 * balancer, whatever the method; a client that gets a 503 may not.
 */
const FIRST_PICTURES_MS = 1_000;

/** Faults of the program, for which nobody else is to blame. */
export interface FaultReports extends LoopFaults {
  report?(loop: string, error: unknown): void;
}

export interface BalancerParts {
  readonly clock: Clock;
  readonly log: Tell;
  readonly link: RegistryLink;
  readonly groups: TargetGroups;
  readonly operations: Operations;
  readonly history: TargetHistory;
  readonly front: Front;
  readonly tls: BalancerTls;
  readonly services: BalancedServices | undefined;
  readonly ingresses: IngressFollower;
  readonly ingressReports: IngressReports;
  readonly supervisor: FaultReports | undefined;
  /** Undefined: the configuration stays as it is. */
  readonly source: ConfigSource | undefined;
  /** Called when it takes requests. */
  readonly onServing: (() => void) | undefined;
  /** Another balancer has the admin port, and is about to give it up. */
  readonly isSuccessor: boolean;
}

/** A balancer, whose configuration may be replaced while it serves. */
export class Balancer {
  readonly #parts: BalancerParts;
  readonly #admin: AdminPort;
  readonly #reloader: Reloader | undefined;
  readonly #timers: readonly Timer[];
  readonly #notes: OnceLog;
  readonly #refusals: OnceLog;
  /** As in the file. */
  #written: Config;
  /** With what the Ingresses add. */
  #config: Config;
  #isClosing = false;
  #applying: Promise<void> = Promise.resolve();
  #closed: Promise<void> | undefined;

  constructor(config: Config, parts: BalancerParts) {
    const { clock, groups, front, source, operations } = parts;
    this.#parts = parts;
    this.#notes = new OnceLog(parts.log);
    this.#refusals = new OnceLog(parts.log, 'error');
    this.#written = config;
    this.#config = config;
    this.#reloader = source === undefined ? undefined : this.#createReloader(source);
    this.#admin = openAdmin({
      ...parts,
      reloader: this.#reloader,
      isClosing: () => this.#isClosing,
    });
    const ticks = clock.every(TICK_MS, () => {
      operations.tick();
      groups.tick();
      front.tick();
    });
    this.#timers = source === undefined ? [ticks] : [ticks, this.#watch(source)];
  }

  get addresses() {
    return { listeners: this.#parts.front.addresses, admin: this.#admin.address };
  }

  get groups(): readonly LiveTargetGroup[] {
    return this.#parts.groups.all;
  }

  /** @throws StartError when an address is in use or the log cannot be opened; then nothing is left running. */
  start(): Promise<void> {
    const starting = this.#start();
    this.#applying = starting.catch(() => {});
    return starting;
  }

  async #start(): Promise<void> {
    const { groups, front, tls, onServing, isSuccessor, ingresses, clock } = this.#parts;
    const endMs = clock.monotonicMs() + FIRST_PICTURES_MS;
    try {
      const { ingress } = this.#written;
      const follow = () => void this.#followIngresses();
      ingresses.start(ingress, usesSecrets(this.#written), follow);
      await Promise.race([ingresses.ready(), pause(clock, FIRST_PICTURES_MS)]);
      const config = this.#effective(this.#written);
      this.#config = config;
      const secured = await tls.prepare(config);
      secured.commit();
      const first = groups.prepare(config.targetGroups, secured.targets);
      first.commit();
      if (!isSuccessor) (await this.#admin.prepare(config.admin)).commit();
      await this.#awaitPictures(first, endMs - clock.monotonicMs());
      (await front.prepare(config, first.byName, secured.acceptors)).commit();
      this.#tellIngresses();
      onServing?.();
      if (isSuccessor)
        await takeOver(this.#admin, config.admin, {
          ...this.#parts,
          isNeeded: () => !this.#isClosing,
        });
    } catch (error) {
      await this.#end(0, this.#parts.ingressReports.close());
      throw error;
    }
  }

  /** Applies what the configuration file contains now, whole or not at all. Undefined: there is no file. */
  async reload(why: string): Promise<ReloadResult | undefined> {
    return this.#reloader?.reload(why);
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  /** As `close`, but a successor serves already: it gives up the admin port first, and nobody has to notice anything. */
  retire(): Promise<void> {
    this.#closed ??= this.#retire();
    return this.#closed;
  }

  async #close(): Promise<void> {
    const { clock } = this.#parts;
    this.#isClosing = true;
    await this.#applying;
    const { delayMs, graceMs } = this.#config.shutdown;
    const withdrawn = this.#parts.ingressReports.close();
    if (delayMs > 0) await pause(clock, delayMs);
    await this.#end(graceMs, withdrawn);
  }

  async #retire(): Promise<void> {
    const { clock, ingressReports } = this.#parts;
    this.#isClosing = true;
    await this.#applying;
    await this.#admin.close();
    // The address stays, so its successor reports it first.
    const withdrawn = pause(clock, SUCCESSOR_REPORTS_MS).then(() => ingressReports.close());
    await this.#end(this.#config.shutdown.graceMs, withdrawn);
  }

  /** `withdrawn`: the reports about Ingresses. */
  async #end(graceMs: number, withdrawn: Promise<void>): Promise<void> {
    const { front, services, groups, link, tls, ingresses } = this.#parts;
    ingresses.close();
    await Promise.all([front.close(graceMs), services?.close(graceMs), withdrawn]);
    for (const timer of this.#timers) timer.cancel();
    tls.close();
    groups.close();
    await link.close();
    await this.#admin.close();
  }

  /** One after the other, with what the Ingresses add by then. `choose`: called when it is the turn of the change. */
  #apply(choose: () => Config): Promise<void> {
    const applied = this.#applyAfter(this.#applying, choose);
    this.#applying = applied.catch(() => {});
    return applied;
  }

  async #applyAfter(earlier: Promise<void>, choose: () => Config): Promise<void> {
    await earlier;
    if (this.#isClosing) throw new ChangeRefused('the balancer is stopping', []);
    const next = choose();
    const effective = this.#effective(next);
    const isSame = next === this.#written && isDeepStrictEqual(effective, this.#config);
    if (!isSame) {
      const applyOnce = (one: Config) => this.#applyOnce(one);
      await applyMoving(this.#config, effective, applyOnce);
    }
    this.#written = next;
    this.#parts.ingresses.configure(next.ingress, usesSecrets(next));
    this.#tellIngresses();
  }

  #effective(written: Config): Config {
    const { ingresses } = this.#parts;
    const { ingress } = written;
    return effectiveConfig(written, ingresses.routes(ingress), ingresses.certificates(ingress));
  }

  /** Tells the log what does not route as it is written, and the registry where this balancer answers. */
  #tellIngresses(): void {
    const { ingresses, ingressReports, front } = this.#parts;
    const { ingress } = this.#written;
    this.#notes.tell(ingressNotes(this.#written, this.#parts));
    if (ingress === undefined) ingressReports.set([], []);
    else ingressReports.set(ingresses.meant(ingress) ?? [], addressesOf(ingress, front.addresses));
  }

  /** What is refused is tried again: the reason may be something that passes. */
  async #followIngresses(): Promise<void> {
    const { log, supervisor, clock } = this.#parts;
    if (this.#isClosing) return;
    try {
      const before = this.#config;
      await this.#apply(() => this.#written);
      const changes = describeChanges(before, this.#config);
      if (changes.length > 0) log(`the Ingresses have changed: ${changes.join('; ')}`);
      this.#refusals.tell([]);
    } catch (error) {
      if (this.#isClosing) return;
      if (!isExpected(error)) supervisor?.report?.('ingress', error);
      const { message } = error as Error;
      this.#refusals.tell([`the Ingresses have changed: refused, all stays as it is: ${message}`]);
      clock.after(INGRESS_RETRY_MS, () => void this.#followIngresses());
    }
  }

  async #applyOnce(next: Config): Promise<void> {
    refuseFixedKeys(this.#config, next);
    const { link, groups, front, tls } = this.#parts;
    const steps = new Steps();
    try {
      const secured = steps.add(await tls.prepare(next));
      steps.add(link.prepare(next.registry));
      const prepared = steps.add(groups.prepare(next.targetGroups, secured.targets));
      steps.add(await this.#admin.prepare(next.admin));
      await this.#awaitPictures(prepared);
      steps.add(await front.prepare(next, prepared.byName, secured.acceptors));
    } catch (error) {
      await steps.undo();
      throw error;
    }
    steps.commit();
    this.#config = next;
  }

  async #awaitPictures(step: GroupsStep, withinMs = FIRST_PICTURES_MS): Promise<void> {
    const limit = pause(this.#parts.clock, Math.max(0, withinMs));
    await Promise.race([step.firstPictures(), limit]);
  }

  #createReloader(source: ConfigSource): Reloader {
    const { clock, log, supervisor } = this.#parts;
    return new Reloader({
      load: () => source.load(),
      apply: (next) => this.#apply(() => next),
      current: () => this.#written,
      clock,
      log,
      onFault: (error) => supervisor?.report?.('reload', error),
    });
  }

  #watch(source: ConfigSource): Timer {
    const watch = new ConfigWatch(source, () => void this.reload('the file has changed'));
    return this.#parts.clock.every(WATCH_MS, () => {
      if (this.#config.watchConfig && !this.#isClosing) watch.look();
    });
  }
}
