import { RollcallError } from '../base/error.ts';
import type { Endpoint } from '@rollcall/contract';

export interface PictureFacts {
  /** `namespace/service`. */
  readonly label: string;
  readonly port: string | undefined;
  /** Every known endpoint, of all ports. */
  readonly known: readonly Endpoint[];
  readonly ageMs: number;
  /** Why the watch is down, if it is. */
  readonly failure: RollcallError | undefined;
}

/**
 * The error for a call that finds no endpoint: which service, what is known, how old the
 * picture is and why the watch is down.
 */
export function noEndpointsError({
  label,
  port,
  known,
  ageMs,
  failure,
}: PictureFacts): RollcallError {
  const watch = failure === undefined ? '' : `; the watch is down: ${failure.message}`;
  const what = `no endpoint of ${label}${port === undefined ? '' : ` on port '${port}'`} can be called`;
  if (ageMs === Infinity)
    return new RollcallError('no_endpoints', `${what}: the registry has shown nothing yet${watch}`);
  const age = `picture ${(ageMs / 1_000).toFixed(1)} s old`;
  return new RollcallError('no_endpoints', `${what}: ${tally(known)}, ${age}${watch}`);
}

function tally(known: readonly Endpoint[]): string {
  if (known.length === 0) return 'no instance is on the roll';
  const states = Map.groupBy(known, ({ state, portName }) => `${state} on ${portName}`);
  return `on the roll ${[...states].map(([state, those]) => `${those.length} ${state}`).join(', ')}`;
}
