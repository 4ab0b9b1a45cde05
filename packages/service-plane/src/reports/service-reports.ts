import { createHash } from 'node:crypto';
import {
  type Rollcall,
  RollcallError,
  type ServiceReport,
  hostnameOf,
  parseServiceKey,
  type ServiceKey,
} from '@rollcall/client-sdk';
import { type Clock, pause } from '@rollcall/runtime';
import { ReportKeeper } from './report-keeper.ts';

/** How long a report stands by itself, in ms: it outlives a restart of who made it, and a dead one for no longer. */
const REPORT_MS = 300_000;

const LONGEST_REPORTER = 63;

/** What last reports may cost when a program ends, in ms. */
const LAST_REPORTS_MS = 2_000;

/** Where it is reported what became of services: of a {@link Rollcall}. */
export type ReportPort = Pick<Rollcall, 'report' | 'withdrawReport'>;

/** What a data plane says of a service. */
export type Report = Partial<Pick<ServiceReport, 'conditions' | 'loadBalancer'>>;

export interface ServiceReportsOptions {
  readonly port: ReportPort;
  /** As {@link reporterOf} gives it. */
  readonly reporter: string;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly log: (message: string, level: 'warn' | 'error') => void;
  /** What is said last of a service when the program ends; undefined = the report is taken back. @default undefined */
  readonly lastOf?: (key: ServiceKey) => Report | undefined;
}

/** What a program says of its services at the registry. */
export interface ServiceReports {
  readonly counters: { readonly posted: number; readonly failed: number };
  /** What is to be said of a service from now on. */
  set(key: ServiceKey, report: Report): void;
  /** Nothing more is to be said of it. */
  remove(key: ServiceKey): void;
  /** Says what is to be said last, for two seconds at most. */
  close(): Promise<void>;
}

/** For programs that report nothing. */
export const NO_REPORTS: ServiceReports = {
  counters: { posted: 0, failed: 0 },
  set() {},
  remove() {},
  async close() {},
};

/** `<program>.<name>` in the letters that reporters' names are made of. */
export function reporterOf(program: string, name: string): string {
  const parts = name.split('.').map(hostnameOf);
  const whole = [program, ...parts.filter((part) => part !== '')].join('.');
  if (program.length + 1 + name.length <= LONGEST_REPORTER) return whole;
  // What tells two of one host apart comes last, so a digest stands for what is cut off.
  const digest = createHash('sha256').update(name).digest('hex').slice(0, 8);
  return `${whole.slice(0, LONGEST_REPORTER - 9).replace(/[-.]+$/, '')}-${digest}`;
}

/** Keeps reports up at the registry. */
export function keepReports(options: ServiceReportsOptions): ServiceReports {
  const { port, reporter, clock, random, log, lastOf } = options;
  let isClosing = false;
  const post = (key: ServiceKey, report: Report): Promise<void> => {
    const { namespace, service } = parseServiceKey(key);
    return port.report(service, reporter, { ...report, forMs: REPORT_MS }, { namespace });
  };
  const remove = async (key: ServiceKey): Promise<void> => {
    const last = isClosing ? lastOf?.(key) : undefined;
    if (last !== undefined) return post(key, last);
    const { namespace, service } = parseServiceKey(key);
    try {
      await port.withdrawReport(service, reporter, { namespace });
    } catch (error) {
      // The service went, and what was said of it with it.
      if (!(error instanceof RollcallError && error.code.endsWith('not_found'))) throw error;
    }
  };
  const onTrouble = (error: Error) => {
    if (error instanceof RollcallError)
      log(`reports do not get to the registry: ${error.message}`, 'warn');
    else log(`fault while reporting: ${error.stack ?? error.message}`, 'error');
  };
  const keeper = new ReportKeeper<Report>(
    { post, remove },
    { forMs: REPORT_MS, random, clock, onTrouble },
  );
  return {
    counters: keeper.counters,
    set: (key, report) => keeper.set(key, report),
    remove: (key) => keeper.remove(key),
    async close() {
      isClosing = true;
      await Promise.race([keeper.close(), pause(clock, LAST_REPORTS_MS)]);
    },
  };
}
