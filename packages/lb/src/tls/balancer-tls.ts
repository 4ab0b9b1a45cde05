import type { Tell } from '@rollcall/daemon';
import { type HttpLimits, type HttpTimeouts, TlsAcceptor, type TlsIo } from '@rollcall/dataplane';
import type { Clock, Timer } from '@rollcall/runtime';
import { FileFault } from './files/file-fault.ts';
import { ExpiryWarnings } from './expiry-warnings.ts';
import { ListenerCertificates } from './listener/listener-certificates.ts';
import { TargetTls } from './target/target-tls.ts';
import type { TicketKeys } from './ticket-keys.ts';
import type { FrontConfig } from '../config/schema.ts';

/** How often files are looked at, in ms. A change is used after the second look that finds it. */
const LOOK_MS = 1_000;

export interface BalancerTlsParts {
  readonly clock: Clock;
  readonly log: Tell;
  readonly ticketKeys: TicketKeys;
  /** Makes the connections after their handshake. */
  readonly io: TlsIo;
}

interface TlsListener {
  readonly certificates: ListenerCertificates;
  readonly acceptor: TlsAcceptor;
}

/** Something whose files may be replaced. */
interface Watched {
  look(): Promise<boolean>;
}

/** All TLS of a balancer: the certificates of its listeners, and its connections to targets. */
export class BalancerTls {
  /** By the name of the listener. */
  readonly listeners = new Map<string, TlsListener>();
  /** By the name of the target group. */
  readonly targets = new Map<string, TargetTls>();
  /** Replacements of files, by outcome. */
  readonly reloads = { replaced: 0, refused: 0 };
  readonly #parts: BalancerTlsParts;
  readonly #warnings: ExpiryWarnings;
  #timer: Timer | undefined;
  #endKeys: (() => void) | undefined;
  #isLooking = false;

  /** @throws FileFault when a file cannot be used. */
  constructor(config: FrontConfig, parts: BalancerTlsParts) {
    const { clock, log, ticketKeys } = parts;
    this.#parts = parts;
    for (const listener of config.listeners) {
      if (listener.tls === undefined) continue;
      const certificates = new ListenerCertificates(listener.name, listener.tls, {
        wallMs: () => clock.wallMs(),
        ticketKey: () => ticketKeys.current,
      });
      const acceptor = createAcceptor(certificates, listener.tls.verifyClient, config, parts);
      this.listeners.set(listener.name, { certificates, acceptor });
    }
    for (const [name, group] of Object.entries(config.targetGroups)) {
      if (group.scheme !== 'https') continue;
      this.targets.set(name, new TargetTls(group, { wallMs: () => clock.wallMs(), io: parts.io }));
    }
    this.#warnings = new ExpiryWarnings(clock, log);
  }

  /** From now on files are looked at, and keys are changed. */
  watch(): void {
    if (this.listeners.size === 0 && this.targets.size === 0) return;
    const { clock, ticketKeys } = this.#parts;
    this.#timer = clock.every(LOOK_MS, () => void this.#look());
    this.#endKeys = ticketKeys.onChange(() => {
      for (const { certificates } of this.listeners.values()) certificates.rebuild();
    });
    this.#warn();
  }

  close(): void {
    this.#timer?.cancel();
    this.#endKeys?.();
  }

  async #look(): Promise<void> {
    // A disk that hangs must not pile up looks.
    if (this.#isLooking) return;
    this.#isLooking = true;
    try {
      for (const [name, { certificates }] of this.listeners) {
        await this.#lookAt(certificates, `certificates of listener ${name}`);
      }
      for (const [name, target] of this.targets) {
        await this.#lookAt(target, `certificates of target group ${name}`);
      }
      this.#warn();
    } finally {
      this.#isLooking = false;
    }
  }

  async #lookAt(watched: Watched, what: string): Promise<void> {
    try {
      if (!(await watched.look())) return;
      this.reloads.replaced++;
      this.#parts.log(`${what}: replaced; new connections use them`);
    } catch (error) {
      if (!(error instanceof FileFault)) throw error;
      this.reloads.refused++;
      this.#parts.log(
        `${what}: not replaced, the earlier ones stay in use: ${error.message}`,
        'error',
      );
    }
  }

  #warn(): void {
    for (const [name, { certificates }] of this.listeners) {
      for (const certificate of certificates.certificates) this.#warnings.check(name, certificate);
    }
  }
}

function createAcceptor(
  certificates: ListenerCertificates,
  clientCertificates: 'none' | 'optional' | 'require',
  { timeouts, limits }: { readonly timeouts: HttpTimeouts; readonly limits: HttpLimits },
  { clock, log, io }: BalancerTlsParts,
): TlsAcceptor {
  const { listener } = certificates;
  const acceptor = new TlsAcceptor(
    certificates.table,
    {
      protocols: ['http/1.1'],
      clientCertificates,
      handshakeMs: timeouts.handshakeMs,
      handshakeLimit: limits.handshakes,
    },
    {
      clock,
      create: io.create,
      onFault: (fault, detail) =>
        log(`listener ${listener}: handshake failed: ${fault}: ${detail}`, 'debug'),
    },
  );
  certificates.onReplaced((table) => acceptor.replace(table));
  return acceptor;
}
