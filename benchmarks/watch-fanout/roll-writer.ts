import { HttpLoad, requestBytes } from '../support/http-load.ts';

const TTL_MS = 300_000;

/** Registers, changes and deregisters instances of one service over one connection. */
export class RollWriter {
  readonly #load: HttpLoad;
  readonly #path: string;

  private constructor(load: HttpLoad, service: string) {
    this.#load = load;
    this.#path = `/v1/namespaces/default/services/${service}/instances`;
  }

  static async open(port: number, service: string): Promise<RollWriter> {
    const load = new HttpLoad({ port, connections: 1, status: 200 });
    await load.open();
    return new RollWriter(load, service);
  }

  /** Resolves once the server has answered. Without a nonce, an existing instance is replaced. */
  register(id: string): Promise<void> {
    return this.#send('PUT', id, { ports: { http: 3_000 }, ttlMs: TTL_MS });
  }

  setWeight(id: string, weight: number): Promise<void> {
    return this.#send('PATCH', id, { weight });
  }

  deregister(id: string): Promise<void> {
    return this.#send('DELETE', id);
  }

  close(): void {
    this.#load.close();
  }

  #send(method: string, id: string, body?: unknown): Promise<void> {
    return this.#load.runCount(1, () => requestBytes(method, `${this.#path}/${id}`, body));
  }
}
