import type { ResolvedOptions } from '../api/options.ts';
import { inside } from '../base/inside.ts';

/** Of a client, also of one that only registers. */
export const [setOptionsOf, optionsOf] = inside<ResolvedOptions>('rollcall', 'a client');
