import type { Tell } from '@rollcall/daemon';
import type { TlsAcceptor, TlsIo } from '@rollcall/dataplane';
import type { Clock, Timer } from '@rollcall/runtime';
import type { FrontConfig, ListenerConfig } from '../config/schema.ts';
import { limitsWithin } from '../config/limits-within.ts';
import { type Step, Steps } from '../reload/step.ts';
import { ExpiryWarnings } from './expiry-warnings.ts';
import { filePath, refusingFiles } from './file-refusal.ts';
import { FileFault } from './files/file-fault.ts';
import { TlsListener } from './listener/tls-listener.ts';
import { TargetTls } from './target/target-tls.ts';
import type { TicketKeys } from './ticket-keys.ts';

/** How often files are looked at, in ms. A change is used after the second look that finds it. */
const LOOK_MS = 1_000;

export interface BalancerTlsParts {
  readonly clock: Clock;
  readonly log: Tell;
  readonly ticketKeys: TicketKeys;
  /** Number of files that the process may open. */
  readonly descriptors: number;
  /** Chooses what makes the connections after their handshake. Called once, when TLS is needed first. */
  readonly openIo: () => Promise<TlsIo>;
}

/** Something whose files may be replaced. */
interface Watched {
  look(): Promise<boolean>;
}

/** The TLS of another configuration, ready to be used. */
export interface TlsStep extends Step {
  /** By the name of the listener. */
  readonly acceptors: ReadonlyMap<string, TlsAcceptor>;
  /** By the name of the target group. */
  readonly targets: ReadonlyMap<string, TargetTls>;
}

/** All TLS of a balancer: the certificates of its listeners, and its connections to targets. */
export class BalancerTls {
  /** Replacements of files, by outcome. */
  readonly reloads = { replaced: 0, refused: 0 };
  readonly #parts: BalancerTlsParts;
  readonly #warnings: ExpiryWarnings;
  #listeners: ReadonlyMap<string, TlsListener> = new Map();
  #targets: ReadonlyMap<string, TargetTls> = new Map();
  #io: TlsIo | undefined;
  #timer: Timer | undefined;
  #endKeys: (() => void) | undefined;
  #isLooking = false;

  constructor(parts: BalancerTlsParts) {
    this.#parts = parts;
    this.#warnings = new ExpiryWarnings(parts.clock, parts.log);
  }

  /** By the name of the listener. */
  get listeners(): ReadonlyMap<string, TlsListener> {
    return this.#listeners;
  }

  /** By the name of the target group. */
  get targets(): ReadonlyMap<string, TargetTls> {
    return this.#targets;
  }

  /**
   * Reads what another configuration needs. Listeners and groups whose settings stay the same stay as they are.
   * @throws ChangeRefused when a file cannot be used.
   */
  async prepare(next: FrontConfig): Promise<TlsStep> {
    const steps = new Steps();
    if (usesTls(next)) this.#io ??= await this.#parts.openIo();
    const listeners = this.#prepareListeners(next, steps);
    const targets = this.#prepareTargets(next);
    const acceptors = Array.from(listeners, ([name, { acceptor }]) => [name, acceptor] as const);
    return {
      acceptors: new Map(acceptors),
      targets,
      commit: () => {
        steps.commit();
        this.#listeners = listeners;
        this.#targets = targets;
        this.#watch();
      },
      undo: () => steps.undo(),
    };
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#endKeys?.();
    this.#endKeys = undefined;
  }

  #prepareListeners(next: FrontConfig, steps: Steps): ReadonlyMap<string, TlsListener> {
    const limits = limitsWithin(next, this.#parts.descriptors);
    const listeners = new Map<string, TlsListener>();
    for (const [index, { name, tls }] of next.listeners.entries()) {
      if (tls === undefined) continue;
      const wanted = { name, tls, timeouts: next.timeouts, limits };
      const known = this.#listeners.get(name);
      const { listener } = refusingFiles(
        (fault) => ['listeners', index, 'tls', ...filePath(tls, fault)],
        () => steps.add(TlsListener.prepare(wanted, known, this.#listenerParts(name))),
      );
      listeners.set(name, listener);
    }
    return listeners;
  }

  #prepareTargets(next: FrontConfig): ReadonlyMap<string, TargetTls> {
    const { clock } = this.#parts;
    const targets = new Map<string, TargetTls>();
    for (const [name, group] of Object.entries(next.targetGroups)) {
      if (group.scheme !== 'https') continue;
      const known = this.#targets.get(name);
      const target = refusingFiles(
        ({ field }) => ['targetGroups', name, 'tls', field],
        () =>
          known?.isFor(group) === true
            ? known
            : new TargetTls(group, { wallMs: () => clock.wallMs(), io: this.#io! }),
      );
      targets.set(name, target);
    }
    return targets;
  }

  #listenerParts(listener: ListenerConfig['name']) {
    const { clock, log, ticketKeys } = this.#parts;
    return {
      clock,
      wallMs: () => clock.wallMs(),
      ticketKey: () => ticketKeys.current,
      create: this.#io!.create,
      onFault: (fault: string, detail: string) =>
        log(`listener ${listener}: handshake failed: ${fault}: ${detail}`, 'debug'),
    };
  }

  /** As long as there is TLS, files are looked at and keys are changed. */
  #watch(): void {
    if (this.#listeners.size === 0 && this.#targets.size === 0) {
      this.close();
      return;
    }
    const { clock, ticketKeys } = this.#parts;
    this.#timer ??= clock.every(LOOK_MS, () => void this.#look());
    this.#endKeys ??= ticketKeys.onChange(() => {
      for (const { certificates } of this.#listeners.values()) certificates.rebuild();
    });
    this.#warn();
  }

  async #look(): Promise<void> {
    // A disk that hangs must not pile up looks.
    if (this.#isLooking) return;
    this.#isLooking = true;
    try {
      for (const [name, { certificates }] of this.#listeners) {
        const isUsed = () => this.#listeners.get(name)?.certificates === certificates;
        await this.#lookAt(certificates, `certificates of listener ${name}`, isUsed);
      }
      for (const [name, target] of this.#targets) {
        const isUsed = () => this.#targets.get(name) === target;
        await this.#lookAt(target, `certificates of target group ${name}`, isUsed);
      }
      this.#warn();
    } finally {
      this.#isLooking = false;
    }
  }

  /** `isUsed`: another configuration may be applied meanwhile. */
  async #lookAt(watched: Watched, what: string, isUsed: () => boolean): Promise<void> {
    try {
      if (!isUsed() || !(await watched.look()) || !isUsed()) return;
      this.reloads.replaced++;
      this.#parts.log(`${what}: replaced; new connections use them`);
    } catch (error) {
      if (!(error instanceof FileFault)) throw error;
      if (!isUsed()) return;
      this.reloads.refused++;
      this.#parts.log(
        `${what}: not replaced, the earlier ones stay in use: ${error.message}`,
        'error',
      );
    }
  }

  #warn(): void {
    for (const [name, { certificates }] of this.#listeners) {
      for (const certificate of certificates.certificates) this.#warnings.check(name, certificate);
    }
  }
}

function usesTls({ listeners, targetGroups }: FrontConfig): boolean {
  const isSecure = listeners.some(({ tls }) => tls !== undefined);
  return isSecure || Object.values(targetGroups).some(({ scheme }) => scheme === 'https');
}
