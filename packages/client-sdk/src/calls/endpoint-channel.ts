import { PoolTarget } from '@rollcall/balancing';
import { type Endpoint, isDialable, urlHostOf } from '@rollcall/contract';
import type { buildConnector, Pool as UndiciPool } from 'undici';
import { RollcallError } from '../base/error.ts';
import type { CallOptions } from '../api/options.ts';
import { Pool } from '../undici/undici.ts';
import { identityOf, type Transport } from './service-identity.ts';

/** Connections that another way of calling opened to the endpoint. */
export interface OwnConnections {
  /** Resolves once the calls in progress are over and all connections are closed. Safe to call twice. */
  close(): Promise<void>;
  /** Closes the connections at once. */
  destroy(): void;
}

/** The connections to one endpoint and the calls in progress on them. Opened at the first call. */
export class EndpointChannel extends PoolTarget {
  readonly #transport: Transport;
  readonly #options: CallOptions;
  #pool: UndiciPool | undefined;
  /** By the way of calling. */
  readonly #others = new Map<string, OwnConnections>();

  constructor(endpoint: Endpoint, transport: Transport, options: CallOptions) {
    super(endpoint);
    this.#transport = transport;
    this.#options = options;
  }

  /** Throws when the endpoint's address or port cannot be connected to. */
  get pool(): UndiciPool {
    return (this.#pool ??= this.#open());
  }

  /** Options of TLS to it: its identity is that of the service. Undefined = no TLS. */
  get tls(): buildConnector.BuildOptions | undefined {
    const { scheme } = this.#transport;
    const { connect } = this.#options;
    if (scheme !== 'https') return undefined;
    return 'servername' in connect ? connect : { ...identityOf(this.#transport), ...connect };
  }

  /** The connections of another way of calling, opened at its first call. They are closed with the channel. */
  own<T extends OwnConnections>(way: string, open: () => T): T {
    const known = this.#others.get(way);
    if (known !== undefined) return known as T;
    this.#assertDialable();
    const opened = open();
    this.#others.set(way, opened);
    return opened;
  }

  /** Closes the connections after the calls in progress. Safe to call twice. */
  async close(): Promise<void> {
    await Promise.all([
      this.#pool?.close(),
      ...Array.from(this.#others.values(), (one) => one.close()),
    ]);
  }

  /** Closes the connections at once; calls in progress fail. */
  async destroy(): Promise<void> {
    for (const one of this.#others.values()) one.destroy();
    await this.#pool?.destroy();
  }

  #open(): UndiciPool {
    const { host: address, port } = this;
    const options = this.#options;
    this.#assertDialable();
    const { scheme, http2 } = this.#transport;
    return new Pool(`${scheme}://${urlHostOf(address)}:${port}`, {
      allowH2: http2,
      ...(http2 && scheme === 'http' ? { useH2c: true } : {}),
      connections: options.maxConnections,
      headersTimeout: options.headersTimeoutMs,
      bodyTimeout: options.bodyTimeoutMs,
      keepAliveTimeout: options.keepAliveMs,
      connect: { ...(this.tls ?? options.connect), timeout: options.connectTimeoutMs },
    });
  }

  #assertDialable(): void {
    const { host: address, port } = this;
    if (isDialable(address) && port > 0 && port < 65_536) return;
    throw new RollcallError('connect_failed', `${address}:${port} is no address to connect to`);
  }
}
