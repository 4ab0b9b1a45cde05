import { parseArgs } from 'node:util';

/** The settings, by flag (`--seconds 600`) or by environment variable (`SECONDS=600`). */
const DEFAULTS = {
  instances: 100_000,
  services: 1_000,
  /** Length of the steady phase, in seconds. */
  seconds: 60,
  /** Interval between two lines of figures, in seconds. */
  every: 30,
  /** TTL of the leases, in ms: heartbeats come every third of it. */
  'ttl-ms': 30_000,
  /** Leases that one client renews in one call. */
  'per-call': 100,
  /** Instances that renew singly, like curl, in percent. */
  singles: 1,
  watchers: 200,
  /** Changes per second. */
  changes: 20,
  /** Number of watch streams of the last phase, on one server. */
  crowd: 5_000,
};

type Name = keyof typeof DEFAULTS;
export type Settings = Readonly<Record<Name, number>>;

/** Throws when a value is not a whole number above zero. */
export function readSettings(args: string[], env: NodeJS.ProcessEnv): Settings {
  const names = Object.keys(DEFAULTS) as Name[];
  const options = Object.fromEntries(names.map((name) => [name, { type: 'string' as const }]));
  const { values } = parseArgs({ args, options });
  const entries = names.map((name) => {
    const variable = name.toUpperCase().replace('-', '_');
    const text = values[name] ?? env[variable];
    const value = text === undefined ? DEFAULTS[name] : Number(text);
    if (!Number.isInteger(value) || value < 1)
      throw new Error(`--${name} (${variable}): expected a whole number above 0, got ${text}`);
    return [name, value] as const;
  });
  return Object.fromEntries(entries) as Settings;
}
