import { isDeepStrictEqual } from 'node:util';
import type { Config, TargetGroupConfig } from '../config/schema.ts';
import type { Step } from '../reload/step.ts';
import { RegistryTargetGroup, type TargetGroupParts, type TargetWay } from './target-group.ts';
import type { TargetSource } from './target-source.ts';

type GroupConfigs = Config['targetGroups'];

export interface TargetGroupsParts extends Omit<TargetGroupParts, 'source' | 'connector'> {
  readonly openSource: (config: TargetGroupConfig, name: string) => TargetSource;
  /** Makes the connections of the group of that name over TLS. @default plain ones */
  readonly connectorOf?: ((name: string) => TargetWay | undefined) | undefined;
  /** A group is used from now on. Returns what must be called when it is not any more. @default nothing is done */
  readonly onOpened?: ((group: RegistryTargetGroup) => () => void) | undefined;
}

/** The groups of a configuration that may take the place of the current one. */
export interface GroupsStep extends Step {
  readonly byName: ReadonlyMap<string, RegistryTargetGroup>;
  /** Resolves when each new group has a picture. */
  firstPictures(): Promise<void>;
}

/** All target groups. A group whose settings change is the same one as before, unless it gets other targets. */
export class TargetGroups {
  readonly #parts: TargetGroupsParts;
  readonly #ends = new Map<RegistryTargetGroup, () => void>();
  /** Removed groups on whose targets requests are still in progress. */
  readonly #leaving = new Set<RegistryTargetGroup>();
  #current: ReadonlyMap<string, RegistryTargetGroup> = new Map();

  constructor(parts: TargetGroupsParts) {
    this.#parts = parts;
  }

  get all(): readonly RegistryTargetGroup[] {
    return [...this.#current.values()];
  }

  get names(): readonly string[] {
    return [...this.#current.keys()];
  }

  prepare(configs: GroupConfigs): GroupsStep {
    const created: RegistryTargetGroup[] = [];
    const byName = new Map<string, RegistryTargetGroup>();
    for (const [name, config] of Object.entries(configs)) {
      const known = this.#current.get(name);
      if (known !== undefined && hasSameTargets(known.config, config)) byName.set(name, known);
      else {
        const group = this.#open(name, config);
        created.push(group);
        byName.set(name, group);
      }
    }
    return {
      byName,
      firstPictures: async () => {
        await Promise.all(created.map((group) => group.firstPicture()));
      },
      commit: () => this.#replace(byName, configs),
      undo: () => {
        for (const group of created) group.close();
      },
    };
  }

  /** Must be called several times per second. */
  tick(): void {
    for (const group of this.#current.values()) group.tick();
    for (const group of this.#leaving) {
      group.tick();
      if (group.isDrained) this.#leaving.delete(group);
    }
  }

  close(): void {
    for (const group of this.#current.values()) group.close();
  }

  #open(name: string, config: TargetGroupConfig): RegistryTargetGroup {
    const source = this.#parts.openSource(config, name);
    const connector = this.#parts.connectorOf?.(name);
    return new RegistryTargetGroup(name, config, { ...this.#parts, source, connector });
  }

  #replace(next: ReadonlyMap<string, RegistryTargetGroup>, configs: GroupConfigs): void {
    const last = this.#current;
    this.#current = next;
    for (const [name, group] of last) {
      if (next.get(name) === group) continue;
      this.#ends.get(group)?.();
      this.#ends.delete(group);
      group.retire();
      this.#leaving.add(group);
    }
    for (const [name, group] of next) {
      const config = configs[name];
      if (last.get(name) !== group) {
        const end = this.#parts.onOpened?.(group);
        if (end !== undefined) this.#ends.set(group, end);
      } else if (config !== undefined && !isDeepStrictEqual(config, group.config)) {
        group.configure(config);
      }
    }
  }
}

/** Whether only settings differ that a group can change while it keeps its targets. */
function hasSameTargets(before: TargetGroupConfig, after: TargetGroupConfig): boolean {
  return isDeepStrictEqual(withoutSettings(before), withoutSettings(after));
}

function withoutSettings(config: TargetGroupConfig): object {
  const settings: ReadonlySet<string> = new Set<keyof TargetGroupConfig>([
    'policy',
    'healthCheck',
    'deregistrationDelayMs',
    'ejection',
  ]);
  return Object.fromEntries(Object.entries(config).filter(([key]) => !settings.has(key)));
}
