import type { Tier } from '@rollcall/contract';

/** Something that a call can go to. Its owner keeps it; pickers only read it. */
export interface Candidate {
  readonly id: string;
  /** Share of calls relative to the others, 0 or more; 0 takes no new calls while another has weight. */
  readonly weight: number;
  /** 0 = use; 1 = use only when no tier 0 is left. */
  readonly tier: Exclude<Tier, null>;
  /** Calls under way, kept by the owner and read at each pick. */
  readonly inFlight: number;
}
