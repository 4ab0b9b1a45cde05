import type { Router } from '../model/router.ts';
import type { ExchangePool } from './exchange-pool.ts';

/** What a client's connection gets from the listener that accepted it. */
export interface ClientPlace<Session> {
  readonly router: Router;
  readonly passesTrailers: boolean;
  readonly exchanges: ExchangePool;
  readonly onGone: (session: Session) => void;
}
