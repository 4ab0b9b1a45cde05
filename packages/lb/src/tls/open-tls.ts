import { StartError } from '@rollcall/daemon';
import { openTlsIo } from '@rollcall/dataplane';
import { systemClock } from '@rollcall/runtime';
import type { FrontConfig } from '../config/schema.ts';
import { BalancerTls, type BalancerTlsParts } from './balancer-tls.ts';
import { FileFault } from './files/file-fault.ts';

/**
 * The TLS of a balancer.
 * @throws StartError when a file cannot be used: it was changed after the configuration was checked.
 */
export async function openTls(
  config: FrontConfig,
  parts: Omit<BalancerTlsParts, 'io'>,
): Promise<BalancerTls> {
  const io = await openTlsIo(usesTls(config) ? config.io : 'net', systemClock);
  try {
    return new BalancerTls(config, { ...parts, io });
  } catch (error) {
    if (error instanceof FileFault) throw new StartError(error.message, { cause: error });
    throw error;
  }
}

function usesTls({ listeners, targetGroups }: FrontConfig): boolean {
  const isSecure = listeners.some(({ tls }) => tls !== undefined);
  return isSecure || Object.values(targetGroups).some(({ scheme }) => scheme === 'https');
}
