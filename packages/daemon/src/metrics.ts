import type { LoopFaults } from './supervisor.ts';
import { Counter, Gauge, Registry, collectDefaultMetrics } from 'prom-client';

export type Sample = readonly [value: number, labels?: Readonly<Record<string, string>>];

export interface MetricDescription {
  /** Without the prefix of the program. */
  readonly name: string;
  readonly help: string;
  readonly labelNames?: readonly string[];
}

/**
 * The metrics of a program and its process. They are read from plain numbers on each scrape, so the hot path has no
 * metrics code.
 */
export class ProgramMetrics {
  readonly registry = new Registry();
  readonly #prefix: string;

  /** `prefix`: start of every name, as in `rollcall_dns`. */
  constructor(prefix: string) {
    this.#prefix = prefix;
    collectDefaultMetrics({ register: this.registry });
  }

  counter(description: MetricDescription, read: () => Iterable<Sample>): void {
    void new Counter({
      ...this.#options(description),
      collect() {
        this.reset();
        for (const [value, labels = {}] of read()) this.inc(labels, value);
      },
    });
  }

  gauge(description: MetricDescription, read: () => Iterable<Sample>): void {
    void new Gauge({
      ...this.#options(description),
      collect() {
        this.reset();
        for (const [value, labels = {}] of read()) this.set(labels, value);
      },
    });
  }

  /** A counter without labels. */
  plainCounter(name: string, help: string, read: () => number): void {
    this.counter({ name, help }, () => [[read()]]);
  }

  /** A gauge without labels. */
  level(name: string, help: string, read: () => number): void {
    this.gauge({ name, help }, () => [[read()]]);
  }

  /** `rollcall_internal_faults_total`, the same in every program. */
  loops(supervisor: LoopFaults): void {
    void new Counter({
      name: 'rollcall_internal_faults_total',
      help: 'Faults of the program in its background loops, which continue; the log has the stack.',
      labelNames: ['loop'],
      registers: [this.registry],
      collect() {
        this.reset();
        for (const [loop, count] of supervisor.faults) this.inc({ loop }, count);
      },
    });
  }

  #options({ name, help, labelNames = [] }: MetricDescription) {
    const registers = [this.registry];
    return { name: `${this.#prefix}_${name}`, help, labelNames: [...labelNames], registers };
  }
}
