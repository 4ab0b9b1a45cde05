import {
  InstanceId,
  type InstancePatch,
  NamespaceName,
  Registration as RegistrationBody,
  ServiceName,
} from '@rollcall/contract';
import { z } from 'zod';
import { RollcallError } from '../base/error.ts';
import { hintOf, knownAt } from '../base/option-fault.ts';
import { parseOptions, type ResolvedOptions } from '../api/options.ts';
import type { DrainOptions, RegisterOptions } from '../api/registration.ts';
import type { Runtime } from '../base/runtime.ts';

/** Signals that end a process politely. */
const DEPARTURE_SIGNALS: readonly NodeJS.Signals[] = ['SIGTERM', 'SIGINT'];

/** Options that are about the registration and not about the instance. */
const OWN_OPTIONS: ReadonlySet<string> = new Set<keyof RegisterOptions>([
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

const Where = z.object({
  service: ServiceName,
  namespace: NamespaceName,
  id: InstanceId,
});

const Drain = z.strictObject({
  settleMs: z.int().min(0).max(600_000).default(500),
  whenIdle: z.custom<() => Promise<void>>((given) => typeof given === 'function').optional(),
  idleTimeoutMs: z.int().min(0).max(86_400_000).default(30_000),
});
export type ResolvedDrain = z.output<typeof Drain>;

/** Throws a RollcallError `invalid_options` that names the option. */
export function parseDrain(options: DrainOptions): ResolvedDrain {
  return parseOptions(Drain, options);
}

/** What an instance is registered with, defaults filled in. `body` is what a re-registration sends. */
export interface RegistrationSpec {
  readonly namespace: string;
  readonly service: string;
  readonly id: string;
  readonly body: RegistrationBody;
  readonly signals: readonly NodeJS.Signals[];
  readonly drain: ResolvedDrain;
}

/** Throws a RollcallError `invalid_options` that names the option and what was expected. */
export function parseRegistration(
  given: RegisterOptions,
  { namespace, runtime }: ResolvedOptions,
): RegistrationSpec {
  throwIfUnknown(given);
  const { service, port, signals = false, drain = {} } = given;
  if ((port === undefined) === (given.ports === undefined))
    throw new RollcallError(
      'invalid_options',
      `option ports: expected exactly one of port and ports, got ${port === undefined ? 'neither' : 'both'}`,
      { field: 'ports' },
    );
  const where = parseOptions(Where, {
    service,
    namespace: given.namespace ?? namespace,
    id: given.id ?? defaultId(runtime),
  });
  const body = Object.entries(given).filter(([name]) => !OWN_OPTIONS.has(name));
  return {
    ...where,
    // The nonce is made once: a retry of this process gets the same lease.
    body: parseBody(given, {
      ...Object.fromEntries(body),
      ports: given.ports ?? { http: port },
      nonce: runtime.randomId(),
    }),
    signals: signals === true ? DEPARTURE_SIGNALS : signals === false ? [] : [...signals],
    drain: parseDrain(drain),
  };
}

/** What an instance says of itself after a change: labels are merged, one set to null goes. */
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

/** The one port is `ports.http` of the instance, and `port` of whoever gave it. */
function parseBody(given: RegisterOptions, body: unknown): RegistrationBody {
  try {
    return parseOptions(RegistrationBody, body);
  } catch (error) {
    if (given.port === undefined || (error as RollcallError).field !== 'ports.http') throw error;
    const expected = `expected a port number, 1 to 65535, got ${JSON.stringify(given.port)}`;
    throw new RollcallError('invalid_options', `option port: ${expected}`, { field: 'ports.http' });
  }
}

/** Before anything else is looked at: `{ prot: 3000 }` has no port because its name is wrong. */
function throwIfUnknown(given: RegisterOptions): void {
  const known = [...OWN_OPTIONS, ...knownAt(RegistrationBody, [])];
  const unknown = Object.keys(given).find((name) => !known.includes(name));
  if (unknown === undefined) return;
  const message = `option ${unknown}: there is no such option${hintOf(unknown, known)}`;
  throw new RollcallError('invalid_options', message);
}

function defaultId(runtime: Runtime): string {
  const host = runtime.hostName().replaceAll(/[^A-Za-z0-9.-]/g, '-');
  const name = host.replaceAll(/^[-.]+|[-.]+$/g, '').slice(0, 64);
  return `${name === '' ? 'host' : name}-${runtime.processId()}-${runtime.randomId().slice(0, 8)}`;
}
