import type { Handshaker, HttpListener, HttpServer, SocketHandle } from '@rollcall/dataplane';
import { httpsPort } from '../config/tls-problems.ts';
import type { LiveTargetGroup } from '../groups/target-group.ts';
import type { Step } from '../reload/step.ts';
import type { RuleParts } from '../routing/create-rule.ts';
import { ListenerRouter } from '../routing/listener-router.ts';
import { ListenFailure } from './listen-failure.ts';
import { type PlannedListener, urlOf } from './listener-plan.ts';

type Groups = ReadonlyMap<string, LiveTargetGroup>;

/** What listeners need besides their groups. */
export interface ListenerNeeds extends Omit<RuleParts, 'groups' | 'httpsPort'> {
  /** By name of the listener; those without one are plain. */
  readonly handshakers: ReadonlyMap<string, Handshaker>;
}

interface OpenListener {
  readonly planned: PlannedListener;
  readonly listener: HttpListener;
}

interface NextListener extends OpenListener {
  readonly router: ListenerRouter;
  readonly handshaker: Handshaker | undefined;
}

export interface ListenerSetParts {
  readonly server: HttpServer;
  /** The socket that another process has bound for a listener. @default it is bound here */
  readonly socketOf?: ((key: string) => SocketHandle | undefined) | undefined;
  /** How long connections of a listener that is removed may last. */
  readonly graceMs: () => number;
}

const HTTPS_PORT = 443;

/** The listeners of one server. One whose socket stays the same keeps it, and its connections. */
export class ListenerSet {
  readonly #parts: ListenerSetParts;
  #open: ReadonlyMap<string, OpenListener> = new Map();
  /** Removed ones whose ports are not free yet. */
  readonly #closing = new Set<Promise<void>>();

  constructor(parts: ListenerSetParts) {
    this.#parts = parts;
  }

  /** The bound addresses by name of the listener: `http://127.0.0.1:8080`. */
  get addresses(): Readonly<Record<string, string>> {
    const entries = Array.from(this.#open.values(), ({ planned: { config }, listener }) => {
      return [config.name, urlOf(config, listener.address)] as const;
    });
    return Object.fromEntries(entries);
  }

  /**
   * Opens the sockets that are missing.
   * @throws ListenFailure that names the listener whose address or socket cannot be used.
   */
  async prepare(
    plan: readonly PlannedListener[],
    groups: Groups,
    { handshakers, ...routing }: ListenerNeeds,
  ): Promise<Step> {
    const created: HttpListener[] = [];
    const next = new Map<string, NextListener>();
    const undo = async (): Promise<void> => {
      await Promise.all(created.map((listener) => listener.close(0)));
    };
    // One of them may have what is needed now.
    await this.settled();
    try {
      for (const planned of plan) {
        const router = new ListenerRouter(planned.config, {
          ...routing,
          groups,
          httpsPort: () => this.#httpsPort,
        });
        const known = this.#open.get(planned.key)?.listener;
        const handshaker = handshakers.get(planned.config.name);
        const listener = known ?? (await this.#listen(planned, router, handshaker));
        if (known === undefined) created.push(listener);
        next.set(planned.key, { planned, listener, router, handshaker });
      }
    } catch (error) {
      await undo();
      throw error;
    }
    return { commit: () => this.#replace(next), undo };
  }

  /** Resolves when the ports of removed listeners are free. */
  async settled(): Promise<void> {
    await Promise.all(this.#closing);
  }

  async #listen(
    planned: PlannedListener,
    router: ListenerRouter,
    handshaker: Handshaker | undefined,
  ): Promise<HttpListener> {
    const { config, fd, key } = planned;
    const socket = this.#parts.socketOf?.(key);
    const options = { ...rulesOf(planned), handshaker };
    try {
      return await this.#parts.server.listen({ ...config, fd, socket }, router, options);
    } catch (error) {
      throw new ListenFailure(planned, error);
    }
  }

  /** Where clients are sent that should come over TLS. */
  get #httpsPort(): number {
    const bound = Array.from(this.#open.values(), ({ planned, listener }) => {
      return { port: listener.address.port, protocol: planned.config.protocol };
    });
    return httpsPort(bound) ?? HTTPS_PORT;
  }

  #close(listener: HttpListener): void {
    const closed = listener
      .close(this.#parts.graceMs())
      .finally(() => this.#closing.delete(closed));
    this.#closing.add(closed);
  }

  #replace(next: ReadonlyMap<string, NextListener>): void {
    for (const [key, { listener }] of this.#open) {
      if (!next.has(key)) this.#close(listener);
    }
    for (const { listener, router, planned, handshaker } of next.values()) {
      listener.secure(handshaker);
      listener.reroute(router, rulesOf(planned));
    }
    this.#open = next;
  }
}

function rulesOf({ config }: PlannedListener) {
  return { passesTrailers: config.passRequestTrailers };
}
