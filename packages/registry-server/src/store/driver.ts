import type { Clock, Random } from '@rollcall/runtime';
import type { Store } from './store.ts';

/** What a driver is given besides the address. */
export interface StoreContext {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: { debug(fields: object, message: string): void };
  /** How long the guard holds, in ms. */
  readonly guardMs: number;
  /** Entries that the log keeps, approximately. */
  readonly logLength: number;
  /** Which partition of the store this server serves. */
  readonly partition: number;
  /** First part of every key, for a store that several registries share. */
  readonly prefix: string;
}

/**
 * Opens the store that `--store` names. `address` is its whole value, such as `sqlite:/var/lib/roll.db`. An error that
 * the user can mend is a ConfigError; a store that is away is not an error here, but at each of its methods.
 */
export type StoreDriver = (address: string, context: StoreContext) => Promise<Store> | Store;

/** The scheme of a value of `--store`: `redis` for `redis://host`, `memory` for `memory`. */
export function schemeOf(address: string): string {
  return /^[a-z][a-z0-9+.-]*/.exec(address)?.[0] ?? '';
}
