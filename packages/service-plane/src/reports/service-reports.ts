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

/** How long a report is valid, in ms: long enough for a restart of its program, short enough for a dead one. */
const REPORT_MS = 300_000;

const LONGEST_REPORTER = 63;

/** How long the last reports may take when a program ends, in ms. */
const LAST_REPORTS_MS = 2_000;

/** Where reports about services go: the part of {@link Rollcall} for that. */
export type ReportPort = Pick<Rollcall, 'report' | 'withdrawReport'>;

/** A data plane's report about a service. */
export type Report = Partial<Pick<ServiceReport, 'conditions' | 'loadBalancer'>>;

export interface ServiceReportsOptions {
  readonly port: ReportPort;
  /** From {@link reporterOf}. */
  readonly reporter: string;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly log: (message: string, level: 'warn' | 'error') => void;
  /** The last report about a service when the program ends; undefined = withdraw it. @default undefined */
  readonly lastOf?: (key: ServiceKey) => Report | undefined;
}

/** A program's reports about its services at the registry. */
export interface ServiceReports {
  readonly counters: { readonly posted: number; readonly failed: number };
  /** Sets the report about a service. */
  set(key: ServiceKey, report: Report): void;
  /** Withdraws the report about a service. */
  withdraw(key: ServiceKey): void;
  /** Sends the last reports, for two seconds at most. */
  close(): Promise<void>;
}

/** For programs that report nothing. */
export const NO_REPORTS: ServiceReports = {
  counters: { posted: 0, failed: 0 },
  set() {},
  withdraw() {},
  async close() {},
};

/** `<program>.<name>`, with only the letters that are allowed in a reporter's name. */
export function reporterOf(program: string, name: string): string {
  const parts = name.split('.').map(hostnameOf);
  const whole = [program, ...parts.filter((part) => part !== '')].join('.');
  if (program.length + 1 + name.length <= LONGEST_REPORTER) return whole;
  // The part that distinguishes two reporters of one host comes last, so a digest replaces what is cut off.
  const digest = createHash('sha256').update(name).digest('hex').slice(0, 8);
  return `${whole.slice(0, LONGEST_REPORTER - 9).replace(/[-.]+$/, '')}-${digest}`;
}

/** Keeps reports up to date at the registry. */
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
      // The service was deleted, and its reports with it.
      if (!(error instanceof RollcallError && error.code.endsWith('not_found'))) throw error;
    }
  };
  const onTrouble = (error: Error) => {
    if (error instanceof RollcallError)
      log(`reports do not get to the registry: ${error.message}`, 'warn');
    else log(`fault while reporting: ${error.stack ?? error.message}`, 'error');
  };
  const keeper = new ReportKeeper<Report>(
    { post, withdraw: remove },
    { forMs: REPORT_MS, random, clock, onTrouble },
  );
  return {
    counters: keeper.counters,
    set: (key, report) => keeper.set(key, report),
    withdraw: (key) => keeper.withdraw(key),
    async close() {
      isClosing = true;
      await Promise.race([keeper.close(), pause(clock, LAST_REPORTS_MS)]);
    },
  };
}
