import { RollcallError } from '../base/error.ts';
import type { Endpoint } from '@rollcall/contract';

export interface PictureFacts {
  /** `namespace/service`. */
  readonly label: string;
  readonly port: string | undefined;
  /** Every known endpoint, of all ports. */
  readonly known: readonly Endpoint[];
  /** Those of the port that calls may go to. */
  readonly usable: readonly Endpoint[];
  readonly ageMs: number;
  /** Why the watch is down, if it is. */
  readonly failure: RollcallError | undefined;
}

export interface Wanted {
  /** Which endpoints are meant: `with zone eu-1`. @default any */
  readonly which?: string;
  /** How many. @default 1 */
  readonly count?: number;
}

/**
 * The error for a call that finds no endpoint: which service, what is known, how old the
 * picture is and why the watch is down.
 */
export function noEndpointsError(facts: PictureFacts, wanted: Wanted = {}): RollcallError {
  return new RollcallError('no_endpoints', whyNone(facts, wanted), { cause: facts.failure });
}

/** The same in words. */
export function whyNone(
  { label, port, known, usable, ageMs, failure }: PictureFacts,
  { which = '', count = 1 }: Wanted = {},
): string {
  const watch = failure === undefined ? '' : `; the watch is down: ${failure.message}`;
  const isShort = usable.length > 0 && which === '';
  const number = isShort ? `only ${usable.length} of ${count} endpoints` : 'no endpoint';
  const place = port === undefined ? '' : ` on port '${port}'`;
  const what = `${number} of ${label}${place}${which === '' ? '' : ` ${which}`} can be called`;
  if (ageMs === Infinity) return `${what}: the registry has shown nothing yet${watch}`;
  const others = isShort || usable.length === 0 ? '' : `, ${usable.length} others can be`;
  const age = `picture ${(ageMs / 1_000).toFixed(1)} s old`;
  return `${what}: ${tally(known)}${others}, ${age}${watch}`;
}

function tally(known: readonly Endpoint[]): string {
  if (known.length === 0) return 'no instance is on the roll';
  const states = Map.groupBy(known, ({ state, portName }) => `${state} on ${portName}`);
  return `on the roll ${[...states].map(([state, those]) => `${those.length} ${state}`).join(', ')}`;
}
