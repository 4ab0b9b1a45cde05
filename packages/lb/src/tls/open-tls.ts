import { StartError } from '@rollcall/daemon';
import { openTlsIo } from '@rollcall/dataplane';
import { systemClock, systemRandom } from '@rollcall/runtime';
import type { Config } from '../config/schema.ts';
import { BalancerTls, type BalancerTlsParts } from './balancer-tls.ts';
import { FileFault } from './files/file-fault.ts';
import { OwnTicketKeys, type TicketKeys } from './ticket-keys.ts';

interface OpenTlsParts extends Omit<BalancerTlsParts, 'ticketKeys' | 'io'> {
  /** @default keys of this process alone */
  readonly ticketKeys?: TicketKeys | undefined;
}

/**
 * The TLS of a balancer, with keys of its own unless others are given.
 * @throws StartError when a file cannot be used: it was changed after the configuration was checked.
 */
export async function openTls(
  config: Config,
  { clock, log, ticketKeys }: OpenTlsParts,
): Promise<BalancerTls> {
  const keys = ticketKeys ?? new OwnTicketKeys(clock, systemRandom.hex);
  const io = await openTlsIo(usesTls(config) ? config.io : 'net', systemClock);
  try {
    return new BalancerTls(config, { clock, log, ticketKeys: keys, io });
  } catch (error) {
    if (error instanceof FileFault) throw new StartError(error.message, { cause: error });
    throw error;
  }
}

function usesTls({ listeners, targetGroups }: Config): boolean {
  const isSecure = listeners.some(({ tls }) => tls !== undefined);
  return isSecure || Object.values(targetGroups).some(({ scheme }) => scheme === 'https');
}
