import { StartError } from '@rollcall/daemon';
import { systemRandom } from '@rollcall/runtime';
import type { Config } from '../config/schema.ts';
import { BalancerTls, type BalancerTlsParts } from './balancer-tls.ts';
import { FileFault } from './files/file-fault.ts';
import { OwnTicketKeys, type TicketKeys } from './ticket-keys.ts';

interface OpenTlsParts extends Omit<BalancerTlsParts, 'ticketKeys'> {
  /** @default keys of this process alone */
  readonly ticketKeys?: TicketKeys | undefined;
}

/**
 * The TLS of a balancer, with keys of its own unless others are given.
 * @throws StartError when a file cannot be used: it was changed after the configuration was checked.
 */
export function openTls(config: Config, { clock, log, ticketKeys }: OpenTlsParts): BalancerTls {
  const keys = ticketKeys ?? new OwnTicketKeys(clock, systemRandom.hex);
  try {
    return new BalancerTls(config, { clock, log, ticketKeys: keys });
  } catch (error) {
    if (error instanceof FileFault) throw new StartError(error.message, { cause: error });
    throw error;
  }
}
