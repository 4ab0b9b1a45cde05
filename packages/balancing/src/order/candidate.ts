import type { Tier } from '@rollcall/contract';

/** Something that can take a call. Its owner maintains it; pickers only read it. */
export interface Candidate {
  readonly id: string;
  /** Share of calls relative to the others, 0 or more; 0 takes no new calls while another has weight. */
  readonly weight: number;
  /** 0 = use; 1 = use only when no tier 0 is left. */
  readonly tier: Exclude<Tier, null>;
  /** Calls in progress; the owner maintains it, and each pick reads it. */
  readonly inFlight: number;
}
