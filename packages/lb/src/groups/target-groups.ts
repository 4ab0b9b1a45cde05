import { isDeepStrictEqual } from 'node:util';
import type { Config, TargetGroupConfig } from '../config/schema.ts';
import type { Step } from '../reload/step.ts';
import { LiveTargetGroup } from './target-group.ts';
import type { TargetGroupParts } from './target-group-parts.ts';
import type { TargetSource } from './target-source.ts';
import type { TargetWay } from './target-way.ts';

type GroupConfigs = Config['targetGroups'];
/** By name of the group: how its targets are reached, unless by plain connections. */
type Ways = ReadonlyMap<string, TargetWay>;

const ALL_PLAIN: Ways = new Map();

export interface TargetGroupsParts extends Omit<TargetGroupParts, 'source' | 'way'> {
  readonly openSource: (config: TargetGroupConfig, name: string) => TargetSource;
  /** These are the groups from now on. @default nobody is told */
  readonly onNames?: ((names: ReadonlySet<string>) => void) | undefined;
  /** A group is used from now on. Returns what must be called when it is not any more. @default nothing is done */
  readonly onOpened?: ((group: LiveTargetGroup) => () => void) | undefined;
}

/** The groups of a configuration that may take the place of the current one. */
export interface GroupsStep extends Step {
  readonly byName: ReadonlyMap<string, LiveTargetGroup>;
  /** Resolves when each new group has a picture. */
  firstPictures(): Promise<void>;
}

/** All target groups. A group whose settings change is the same one as before, unless it gets other targets. */
export class TargetGroups {
  readonly #parts: TargetGroupsParts;
  readonly #ends = new Map<LiveTargetGroup, () => void>();
  /** Removed groups on whose targets requests are still in progress. */
  readonly #leaving = new Set<LiveTargetGroup>();
  #current: ReadonlyMap<string, LiveTargetGroup> = new Map();

  constructor(parts: TargetGroupsParts) {
    this.#parts = parts;
  }

  get all(): readonly LiveTargetGroup[] {
    return [...this.#current.values()];
  }

  get names(): readonly string[] {
    return [...this.#current.keys()];
  }

  prepare(configs: GroupConfigs, ways: Ways = ALL_PLAIN): GroupsStep {
    const created: LiveTargetGroup[] = [];
    const byName = new Map<string, LiveTargetGroup>();
    for (const [name, config] of Object.entries(configs)) {
      const known = this.#current.get(name);
      if (known !== undefined && hasSameTargets(known.config, config)) byName.set(name, known);
      else {
        const group = this.#open(name, config, ways.get(name));
        created.push(group);
        byName.set(name, group);
      }
    }
    return {
      byName,
      firstPictures: async () => {
        await Promise.all(created.map((group) => group.firstPicture()));
      },
      commit: () => this.#replace(byName, configs, ways),
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

  #open(name: string, config: TargetGroupConfig, way: TargetWay | undefined): LiveTargetGroup {
    const source = this.#parts.openSource(config, name);
    return new LiveTargetGroup(name, config, { ...this.#parts, source, way });
  }

  #replace(next: ReadonlyMap<string, LiveTargetGroup>, configs: GroupConfigs, ways: Ways): void {
    const last = this.#current;
    this.#current = next;
    for (const [name, group] of last) {
      if (next.get(name) === group) continue;
      this.#ends.get(group)?.();
      this.#ends.delete(group);
      group.retire();
      this.#leaving.add(group);
    }
    this.#parts.onNames?.(new Set(next.keys()));
    for (const [name, group] of next) {
      const config = configs[name];
      if (last.get(name) !== group) {
        const end = this.#parts.onOpened?.(group);
        if (end !== undefined) this.#ends.set(group, end);
      } else if (config !== undefined) {
        group.configure(config, ways.get(name));
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
    'targets',
    'policy',
    'healthCheck',
    'deregistrationDelayMs',
    'ejection',
    'scheme',
    'tls',
    'retry',
    'maxRequestsPerTarget',
    'queue',
    'slowStartMs',
    'preferZone',
    'nearZone',
    'zoneSpillBelow',
    'failOpenBelow',
  ]);
  return Object.fromEntries(Object.entries(config).filter(([key]) => !settings.has(key)));
}
