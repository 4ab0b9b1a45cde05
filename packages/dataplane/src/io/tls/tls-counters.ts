import { HANDSHAKE_FAULTS, type HandshakeFault } from './handshake-fault.ts';

/** Handshakes of one listener, for scraping. */
export interface TlsCounters {
  /** Complete ones with an exchange of certificates. */
  full: number;
  /** Complete ones that resumed an earlier session. */
  resumed: number;
  readonly faults: Record<HandshakeFault, number>;
}

export function createTlsCounters(): TlsCounters {
  const faults = Object.fromEntries(HANDSHAKE_FAULTS.map((fault) => [fault, 0]));
  return { full: 0, resumed: 0, faults: faults as Record<HandshakeFault, number> };
}
