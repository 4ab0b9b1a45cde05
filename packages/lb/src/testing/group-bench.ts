import type { Endpoint } from '@rollcall/client-sdk';
import { ManualClock } from '@rollcall/runtime/testing';
import { parseConfig } from '../config/config-file.ts';
import type { TargetGroupConfig } from '../config/schema.ts';
import type { GroupTarget } from '../groups/group-target.ts';
import { LiveTargetGroup } from '../groups/target-group.ts';
import type { TargetWay } from '../groups/target-way.ts';
import { HealthChecker } from '../health/health-checker.ts';
import type { ProbeAddress, ProbeResult } from '../health/probe.ts';
import { FakeSource } from './fake-source.ts';

function configOf(options: string, top: string): TargetGroupConfig {
  const text = `registry: { url: http://127.0.0.1:7400 }
${top}
listeners: [{ name: web, port: 0, default: { targetGroup: g } }]
targetGroups: { g: { service: hello ${options} } }`;
  return parseConfig(text, 'lb.yaml', {}).targetGroups['g']!;
}

/** A target group whose source, health checks and clock are those of a test. */
export class GroupBench {
  readonly clock = new ManualClock();
  readonly source: FakeSource;
  readonly group: LiveTargetGroup;
  readonly renewed: string[] = [];
  readonly retired: string[] = [];
  readonly severed: string[] = [];
  readonly failing = new Set<number>();
  checks = 0;

  /** `options`: settings of the group; `top`: further lines of the file. */
  constructor(options = '', endpoints?: readonly Endpoint[], top = '') {
    this.source = new FakeSource(endpoints);
    this.group = new LiveTargetGroup('g', configOf(options, top), {
      source: this.source,
      clock: this.clock,
      random: () => 0.5,
      log: () => {},
      openChecks: ({ intervalMs }, onChange) => {
        const probe = { probe: async ({ port }: ProbeAddress) => this.#check(port) };
        const { clock } = this;
        return new HealthChecker(intervalMs, { probe, clock, random: () => 0.5, onChange });
      },
      closer: {
        renew: ({ id }) => this.renewed.push(id),
        retire: ({ id }) => this.retired.push(id),
        sever: ({ id }) => this.severed.push(id),
      },
    });
  }

  /** This machine cannot check at the moment. */
  isShort = false;

  #check(port: number): ProbeResult {
    this.checks++;
    const result = { isGood: !this.failing.has(port), detail: `checked ${port}` };
    return this.isShort ? { ...result, isGood: false, isLocalFault: true } : result;
  }

  /** Ports that get requests, in the order of turns. */
  used(turns = 12): number[] {
    const ports = new Set<number>();
    for (let i = 0; i < turns; i++) {
      const target = this.group.snapshot().pick([]);
      if (target !== undefined) ports.add(target.port);
    }
    return [...ports].toSorted((a, b) => a - b);
  }

  target(port: number): GroupTarget {
    return this.group.targets().find((target) => target.port === port)!;
  }

  states(): Record<number, string> {
    return Object.fromEntries(
      this.group.targets().map((target) => [target.port, target.standing.state]),
    );
  }

  configure(options: string, way?: TargetWay): void {
    this.group.configure(configOf(options, ''), way);
  }

  /** One round of health checks. */
  async round(ms = 11_000): Promise<void> {
    this.clock.advance(ms);
    this.group.tick();
    await new Promise((resolve) => setImmediate(resolve));
  }
}
