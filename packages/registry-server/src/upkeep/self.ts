import { ProblemError, Registration, type InstanceRef } from '@rollcall/contract';
import type { Loop, Supervisor } from '@rollcall/daemon';
import { EVERYTHING } from '../access/caller.ts';
import { SELF } from '../picture/instances/own-service.ts';
import type { Declarer } from '../writes/declared/declarer.ts';
import type { Registry } from '../writes/registry.ts';

const TTL_MS = 10_000;

export interface SelfOptions {
  readonly registry: Registry;
  readonly declarer: Declarer;
  /** The registry's cluster IP, the same on all servers. */
  readonly clusterIp: string;
  readonly supervisor: Supervisor;
  /** Instance id of this server. */
  readonly id: string;
  readonly nonce: string;
  readonly address: string;
  readonly port: number;
}

/** Keeps this server on the roll as an instance of the service `rollcall`, so that the servers can find each other. */
export class SelfRegistration {
  readonly #options: SelfOptions;
  readonly #ref: InstanceRef;
  readonly #loop: Loop;
  #lease: string | undefined;

  constructor(options: SelfOptions) {
    this.#options = options;
    this.#ref = { ...SELF, id: options.id };
    this.#loop = options.supervisor.every('self', TTL_MS / 3, () => this.beat());
  }

  /** Registers, or renews the lease. Rejects only for errors that are not retryable; the next beat tries again anyway. */
  async beat(): Promise<void> {
    const { registry, nonce, address, port } = this.#options;
    try {
      await this.#declare();
      if (this.#lease !== undefined) {
        const { unknown, superseded } = await registry.renew([this.#lease]);
        if (unknown.length + superseded.length === 0) return;
      }
      const registration = Registration.parse({
        address,
        ports: { http: port },
        ttlMs: TTL_MS,
        nonce,
      });
      const caller = { grants: EVERYTHING, peerAddress: address };
      const { value } = await registry.register(caller, this.#ref, registration, true);
      this.#lease = value.lease?.id;
    } catch (error) {
      // A retryable problem may pass, such as a conflict with another writer, so it is not reported.
      if (!(error instanceof ProblemError && error.retryable)) throw error;
    }
  }

  /**
   * Declares the registry's own service, also after a caller has deleted it. If its address is taken it gets another
   * one, and if no address is left, none.
   */
  async #declare(): Promise<void> {
    const { declarer, clusterIp, port } = this.#options;
    for (const address of [{ clusterIP: clusterIp }, {}, { clusterIP: 'None' }]) {
      const isThere = await declarer.ensure({
        apiVersion: 'v1',
        kind: 'Service',
        metadata: {
          name: SELF.service,
          namespace: SELF.namespace,
          labels: { component: 'registry', provider: 'rollcall' },
        },
        spec: {
          ...address,
          selector: { app: SELF.service },
          ports: [{ name: 'http', port, targetPort: 'http', protocol: 'TCP' }],
        },
      });
      if (isThere) return;
    }
  }

  /** Deregisters this server. */
  async close(): Promise<void> {
    this.#loop.cancel();
    const { registry, address } = this.#options;
    const caller = { grants: EVERYTHING, peerAddress: address };
    const lease = this.#lease;
    await this.#options.supervisor.run('self', () =>
      registry.deregister(caller, this.#ref, { lease }),
    );
  }
}
