import type { ChunkRules } from './chunked-body.ts';
import type { ExchangePool } from './exchange-pool.ts';
import type { RequestPlace } from './exchange-services.ts';

/** What a client's connection gets from the listener that accepted it. It may change between two requests. */
export interface ClientPlace<Session> extends RequestPlace {
  readonly bodyRules: ChunkRules;
  readonly exchanges: ExchangePool;
  readonly onGone: (session: Session) => void;
}
