import { createSourceRanges } from '@rollcall/dataplane';
import { z } from 'zod';

/** A list of networks such as 10.0.0.0/8. */
export const networks = z
  .array(
    z.string({ error: 'expected a network' }).refine(isNetwork, {
      error: 'expected a network such as 10.0.0.0/8 or 2001:db8::/32',
    }),
    { error: 'expected a list of networks' },
  )
  .min(1, { error: 'expected networks' });

function isNetwork(network: string): boolean {
  const [address = ''] = network.split('/');
  return createSourceRanges([network])(address);
}
