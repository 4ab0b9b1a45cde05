import { z } from 'zod';
import { aFunction, durationMs } from '../api/option-kinds.ts';
import type { ResolvedOptions } from '../api/options.ts';
import type { RegisterOptions, Registration } from '../api/registration.ts';
import { invalidOption, parseOptions, throwIfUnknown } from '../base/parse-options.ts';
import { parseRegistration, registrationOptionNames } from '../registration/registration-spec.ts';
import type { Readiness } from './readiness.ts';
import { type ResolvedServe, type ServeOptions, ServeSchema } from './serve-options.ts';

/** An instance that is a server: what `register` takes, and what a server adds to it. */
export interface InstanceOptions extends Omit<RegisterOptions, 'signals' | 'signal' | 'drain'> {
  /** Where callers reach it, if that is not the port of the server. @default the server's */
  readonly port?: number;
  /**
   * Asked again and again whether the instance can take calls: it is `starting` until the first true, `up` while true,
   * and `down` while false. An error, or no answer in time, counts as false. @default up once the server listens
   */
  readonly readiness?: Readiness;
  /** Pause between two questions, in ms. Raise it if an answer is expensive. @default 1000 */
  readonly readinessIntervalMs?: number;
  /** How long an answer may take, in ms. @default 5000 */
  readonly readinessTimeoutMs?: number;
  /** How it leaves. @default {} */
  readonly drain?: ServeOptions;
  /** Called once it is on the roll, for example to keep the registration for `update`. */
  readonly onRegistered?: (registration: Registration) => void;
}

const Own = z.strictObject({
  readiness: aFunction<Readiness>().optional(),
  readinessIntervalMs: durationMs(10, 3_600_000).default(1_000),
  readinessTimeoutMs: durationMs(10, 600_000).default(5_000),
  drain: ServeSchema.prefault({}),
  onRegistered: aFunction<NonNullable<InstanceOptions['onRegistered']>>().optional(),
});

type RegisterPart = Omit<RegisterOptions, 'signals' | 'signal' | 'drain'>;

export type ResolvedInstance = Readonly<z.output<typeof Own>> & {
  readonly drain: ResolvedServe;
  /** What it registers with, but for the port. */
  readonly registration: RegisterPart;
};

/** Throws a RollcallError `invalid_options` that names the option and what was expected. */
export function parseInstance(given: InstanceOptions, client: ResolvedOptions): ResolvedInstance {
  if (typeof given !== 'object' || given === null)
    throw invalidOption(`options: expected an object, got ${String(given)}`);
  const inRegistration = registrationOptionNames().filter(
    (name) => name !== 'signals' && name !== 'signal',
  );
  throwIfUnknown(given, [...Object.keys(Own.shape), ...inRegistration]);
  const {
    readiness,
    readinessIntervalMs,
    readinessTimeoutMs,
    drain,
    onRegistered,
    ...registration
  } = given;
  const own = { readiness, readinessIntervalMs, readinessTimeoutMs, drain, onRegistered };
  const parsed = parseOptions(Own, own);
  if (parsed.readiness !== undefined && given.status !== undefined)
    throw invalidOption(
      'option status: expected exactly one of status and readiness, got both',
      'status',
    );
  // What is wrong is said now, not when the server listens.
  parseRegistration(withPort(registration, 1), client);
  return { ...parsed, registration };
}

/** The port of the server is the instance's, unless its options say it. */
export function withPort(options: RegisterPart, port: number): RegisterPart {
  return options.port === undefined && options.ports === undefined ? { ...options, port } : options;
}
