import { createSourceRanges, type RequestIdRule } from '@rollcall/dataplane';
import type { Random } from '@rollcall/runtime';
import type { FrontConfig } from '../config/schema.ts';

const ID_BYTES = 16;
const ID_LENGTH = 2 * ID_BYTES;
/** How many ids are made from one call of the system's random generator, which takes longer than all the rest. */
const DRAWN = 256;

/** How requests get ids; undefined: they get none. */
export function requestIdRuleOf(
  { requestId, trustForwarded }: Pick<FrontConfig, 'requestId' | 'trustForwarded'>,
  hex: Random['hex'],
): RequestIdRule | undefined {
  if (requestId === undefined) return undefined;
  const { header, trust = trustForwarded } = requestId;
  const trusts = typeof trust === 'boolean' ? () => trust : createSourceRanges(trust);
  return { header, trusts, create: createIds(hex) };
}

function createIds(hex: Random['hex']): () => string {
  let drawn = '';
  let used = 0;
  return () => {
    if (used === drawn.length) {
      drawn = hex(ID_BYTES * DRAWN);
      used = 0;
    }
    used += ID_LENGTH;
    return drawn.slice(used - ID_LENGTH, used);
  };
}
