import { PoolTarget } from '@rollcall/balancing';
import { type Endpoint, isDialable, urlHostOf } from '@rollcall/contract';
import type { Pool as UndiciPool } from 'undici';
import { RollcallError } from '../base/error.ts';
import type { CallOptions } from '../api/options.ts';
import { Pool } from '../undici/undici.ts';
import { identityOf, type Transport } from './service-identity.ts';

/** The connections to one endpoint and the calls in progress on them. Opened at the first call. */
export class EndpointChannel extends PoolTarget {
  readonly #transport: Transport;
  readonly #options: CallOptions;
  #pool: UndiciPool | undefined;

  constructor(endpoint: Endpoint, transport: Transport, options: CallOptions) {
    super(endpoint);
    this.#transport = transport;
    this.#options = options;
  }

  /** Throws when the endpoint's address or port cannot be connected to. */
  get pool(): UndiciPool {
    return (this.#pool ??= this.#open());
  }

  /** Closes the connections after the calls in progress. Safe to call twice. */
  async close(): Promise<void> {
    await this.#pool?.close();
  }

  /** Closes the connections at once; calls in progress fail. */
  async destroy(): Promise<void> {
    await this.#pool?.destroy();
  }

  #open(): UndiciPool {
    const { host: address, port } = this;
    const options = this.#options;
    if (!isDialable(address) || !(port > 0 && port < 65_536))
      throw new RollcallError('connect_failed', `${address}:${port} is no address to connect to`);
    const { scheme } = this.#transport;
    const { connect } = options;
    const isNamed = scheme === 'https' && !('servername' in connect);
    return new Pool(`${scheme}://${urlHostOf(address)}:${port}`, {
      allowH2: false,
      connections: options.maxConnections,
      headersTimeout: options.headersTimeoutMs,
      bodyTimeout: options.bodyTimeoutMs,
      keepAliveTimeout: options.keepAliveMs,
      connect: {
        ...(isNamed ? identityOf(this.#transport) : {}),
        ...connect,
        timeout: options.connectTimeoutMs,
      },
    });
  }
}
