import {
  InstanceId,
  type InstancePatch,
  knownAt,
  NamespaceName,
  Registration as RegistrationBody,
  ServiceName,
} from '@rollcall/contract';
import { z } from 'zod';
import { abortSignal, aFunction, durationMs } from '../api/option-kinds.ts';
import type { ResolvedOptions } from '../api/options.ts';
import type { DrainOptions, RegisterOptions } from '../api/registration.ts';
import type { RollcallError } from '../base/error.ts';
import { invalidOption, parseOptions, throwIfUnknown } from '../base/parse-options.ts';
import type { Runtime } from '../base/runtime.ts';
import { SignalChoice } from './signal-choice.ts';

/** Options that are handled here by name. All others are sent as they are. */
const HANDLED_OPTIONS: ReadonlySet<string> = new Set<keyof RegisterOptions>([
  'service',
  'namespace',
  'id',
  'port',
  'ports',
  'signals',
  'drain',
  'onSuperseded',
  'signal',
]);

/** What this client decides itself, or what is for instances without a lease. */
const NOT_OPTIONS: ReadonlySet<string> = new Set<keyof RegistrationBody>([
  'nonce',
  'sequence',
  'persistent',
  'check',
]);

const InstancePath = z.object({
  service: ServiceName,
  namespace: NamespaceName,
  id: InstanceId,
});

/** Options that are not sent. */
const Unsent = z.object({
  signals: SignalChoice.prefault(false),
  signal: abortSignal().optional(),
  onSuperseded: aFunction().optional(),
});

/** How long callers that never say so may take to learn that an instance leaves, in ms. */
export const settleMs = () => durationMs(0, 600_000);

const Drain = z.strictObject({
  settleMs: settleMs().default(500),
  whenIdle: aFunction<() => Promise<void>>().optional(),
  idleTimeoutMs: durationMs(0, 86_400_000).default(30_000),
});
export type ResolvedDrain = z.output<typeof Drain>;

/** Throws a RollcallError `invalid_options` that names the option. */
export function parseDrain(options: DrainOptions | ResolvedDrain): ResolvedDrain {
  return parseOptions(Drain, options);
}

/** Everything needed to register an instance; defaults are filled in. */
export interface RegistrationSpec {
  readonly namespace: string;
  readonly service: string;
  readonly id: string;
  readonly body: RegistrationBody;
  readonly signals: readonly NodeJS.Signals[];
  readonly drain: ResolvedDrain;
}

/** The names of all options of a registration. */
export function registrationOptionNames(): string[] {
  const inBody = knownAt(RegistrationBody, []).filter((name) => !NOT_OPTIONS.has(name));
  return [...HANDLED_OPTIONS, ...inBody];
}

/** Throws a RollcallError `invalid_options` that names the option and what was expected. */
export function parseRegistration(
  given: RegisterOptions,
  { namespace, runtime }: ResolvedOptions,
): RegistrationSpec {
  // Before any other check, so that `{ prot: 3000 }` is told as a misspelling and not as a missing port.
  throwIfUnknown(given, registrationOptionNames());
  const { service, port, drain = {} } = given;
  const { signals } = parseOptions(Unsent, given);
  if ((port === undefined) === (given.ports === undefined))
    throw invalidOption(
      `option ports: expected exactly one of port and ports, got ${port === undefined ? 'neither' : 'both'}`,
      'ports',
    );
  const path = parseOptions(InstancePath, {
    service,
    namespace: given.namespace ?? namespace,
    id: given.id ?? defaultId(runtime),
  });
  const others = Object.entries(given).filter(([name]) => !HANDLED_OPTIONS.has(name));
  return {
    ...path,
    // The nonce is created once per registration, so that a repeated request gets the same lease.
    body: parseBody(given, {
      ...Object.fromEntries(others),
      ports: given.ports ?? { http: port },
      nonce: runtime.randomId(),
    }),
    signals,
    drain: parseDrain(drain),
  };
}

/** The instance's data after a change: labels are merged, a label set to null is removed. */
export function withPatch(body: RegistrationBody, patch: InstancePatch): RegistrationBody {
  const labels = { ...body.labels };
  for (const [key, value] of Object.entries(patch.labels ?? {}))
    if (value === null) delete labels[key];
    else labels[key] = value;
  return {
    ...body,
    labels,
    status: patch.status ?? body.status,
    weight: patch.weight ?? body.weight,
  };
}

/** The single port is `ports.http` in the body but `port` in the caller's options: the message must name `port`. */
function parseBody(given: RegisterOptions, body: unknown): RegistrationBody {
  try {
    return parseOptions(RegistrationBody, body);
  } catch (error) {
    if (given.port === undefined || (error as RollcallError).field !== 'ports.http') throw error;
    const expected = `expected a port number, 1 to 65535, got ${JSON.stringify(given.port)}`;
    throw invalidOption(`option port: ${expected}`, 'ports.http');
  }
}

function defaultId(runtime: Runtime): string {
  const host = runtime.hostName().replaceAll(/[^A-Za-z0-9.-]/g, '-');
  const name = host.replaceAll(/^[-.]+|[-.]+$/g, '').slice(0, 64);
  return `${name === '' ? 'host' : name}-${runtime.processId()}-${runtime.randomId().slice(0, 8)}`;
}
