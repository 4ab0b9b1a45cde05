import { HttpLoad, requestBytes } from '../support/http-load.ts';
import type { RegistryProcess } from '../support/registry.ts';
import type { Contestant } from '../support/rounds.ts';
import { inTurn } from './roll.ts';

const CONNECTIONS = 64;
const BATCH_CONNECTIONS = 8;

/** Leases per call, for each way of renewing them. */
export const PER_CALL = [1, 100, 1_000];

export interface RegistryLoadOptions {
  /** Name of the store, for tables. */
  readonly name: string;
  readonly server: RegistryProcess;
  readonly leases: readonly string[];
  /** Further processes whose processor time is shown. */
  readonly others?: Readonly<Record<string, number>>;
}

/** Heartbeats for the leases of one store, through one server. */
export class RegistryLoad {
  readonly contestants: readonly Contestant[];
  readonly #loads: readonly HttpLoad[];

  constructor({ name, server, leases, others = {} }: RegistryLoadOptions) {
    const { port, process: child } = server;
    this.#loads = PER_CALL.map((perCall) => {
      const isSingle = perCall === 1;
      const connections = isSingle ? CONNECTIONS : BATCH_CONNECTIONS;
      return new HttpLoad({ port, connections, status: isSingle ? 204 : 200 });
    });
    this.contestants = PER_CALL.map((perCall, at) => {
      const next = inTurn(requestsOf(leases, perCall));
      return {
        name: nameOf(name, perCall),
        pid: child.pid,
        others,
        run: async (ms) => (await this.#loads[at]!.runFor(ms, next)) * perCall,
      };
    });
  }

  async open(): Promise<void> {
    for (const load of this.#loads) await load.open();
  }

  close(): void {
    for (const load of this.#loads) load.close();
  }
}

/** Its name in tables. */
export function nameOf(store: string, perCall: number): string {
  return `${perCall === 1 ? 'single' : `${perCall} a call`}, ${store}`;
}

function requestsOf(leases: readonly string[], perCall: number): Buffer[] {
  if (perCall === 1) return leases.map((lease) => requestBytes('PUT', `/v1/leases/${lease}`));
  const requests: Buffer[] = [];
  for (let from = 0; from < leases.length; from += perCall) {
    const body = { leases: leases.slice(from, from + perCall) };
    requests.push(requestBytes('POST', '/v1/leases/renew', body));
  }
  return requests;
}
