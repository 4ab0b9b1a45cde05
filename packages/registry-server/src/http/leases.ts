import { isLeaseId, ProblemError } from '@rollcall/contract';
import { missError, type Registry } from '../registry/registry.ts';
import type { HoldDesk } from '../watch/holds.ts';
import type { Binder } from './call.ts';

/** The calls that keep leases alive. */
export function bindLeases(binder: Binder, registry: Registry, holds: HoldDesk): void {
  binder.bind(
    'heartbeat',
    async ({ params: { lease } }) => {
      if (!isLeaseId(lease)) {
        throw new ProblemError('invalid_request', 'expected a lease id as the registry gave it', {
          field: 'lease',
        });
      }
      const { unknown, superseded } = await registry.renew([lease]);
      if (superseded.length > 0) throw missError('superseded', 'lease');
      if (unknown.length > 0) throw missError('unknown', 'lease');
    },
    { skipsValidation: true },
  );
  binder.bind('renew', async ({ body }) => registry.renew(body.leases));
  binder.bind('hold', async ({ query, stream }) => {
    holds.checkRoom();
    const outcome = await holds.take(query.lease);
    holds.keep(stream(), outcome);
  });
}
