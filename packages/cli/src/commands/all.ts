import type { Command } from '../session/command.ts';

/**
 * Every command, in the order shown by the help. Each is loaded when it is used: loading is most of the time of a short
 * command, and most of the memory of a long one.
 */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  get: async () => (await import('./get.ts')).get,
  describe: async () => (await import('./describe.ts')).describe,
  explain: async () => (await import('./explain.ts')).explain,
  doctor: async () => (await import('./doctor.ts')).doctor,
  events: async () => (await import('./events.ts')).events,
  top: async () => (await import('./top.ts')).top,
  create: async () => (await import('./create.ts')).create,
  apply: async () => (await import('./apply.ts')).apply,
  diff: async () => (await import('./apply.ts')).diff,
  replace: async () => (await import('./replace.ts')).replace,
  patch: async () => (await import('./patch.ts')).patch,
  edit: async () => (await import('./edit.ts')).edit,
  delete: async () => (await import('./delete.ts')).remove,
  expose: async () => (await import('./expose.ts')).expose,
  scale: async () => (await import('./scale.ts')).scale,
  label: async () => (await import('./label.ts')).label,
  annotate: async () => (await import('./label.ts')).annotate,
  wait: async () => (await import('./wait.ts')).wait,
  'port-forward': async () => (await import('./port-forward.ts')).portForward,
  drain: async () => (await import('./drain.ts')).drain,
  cordon: async () => (await import('./drain.ts')).cordon,
  uncordon: async () => (await import('./drain.ts')).uncordon,
  export: async () => (await import('./durable.ts')).exportCommand,
  import: async () => (await import('./durable.ts')).importCommand,
  run: async () => (await import('./run.ts')).runCommand,
  env: async () => (await import('./env.ts')).env,
  'api-resources': async () => (await import('./api-resources.ts')).apiResources,
  'api-versions': async () => (await import('./api-resources.ts')).apiVersions,
  'cluster-info': async () => (await import('./about.ts')).clusterInfo,
  version: async () => (await import('./about.ts')).version,
  completion: async () => (await import('./completion.ts')).completion,
};

export const COMMAND_NAMES: readonly string[] = Object.keys(COMMANDS);

/** The command of this name, if there is one. */
export async function commandNamed(name: string): Promise<Command | undefined> {
  return Object.hasOwn(COMMANDS, name) ? await COMMANDS[name]!() : undefined;
}

export function allCommands(): Promise<readonly Command[]> {
  return Promise.all(Object.values(COMMANDS).map((load) => load()));
}
