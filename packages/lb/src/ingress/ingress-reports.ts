import { hostname } from 'node:os';
import { type BalancerAddress, hostnameOf, RollcallError } from '@rollcall/client-sdk';
import type { Tell } from '@rollcall/daemon';
import { type Clock, pause } from '@rollcall/runtime';
import { ReportKeeper, reporterOf } from '@rollcall/service-plane';
import type { IngressObject } from './ingress-object.ts';

/** How long a report is valid, in ms: after that, a balancer that died is no address any more. */
const REPORT_MS = 60_000;
/** How long the last reports may take when the balancer ends, in ms. */
const LAST_REPORTS_MS = 2_000;

/** Identifies an Ingress. */
export interface IngressRef {
  readonly namespace: string;
  readonly name: string;
}

/** An address to report. */
export type SentAddress = Partial<BalancerAddress>;

/** What is reported of an Ingress. */
interface IngressReport {
  readonly loadBalancer: readonly SentAddress[];
  readonly forMs: number;
}

/** Where reports about Ingresses go. Rejections are retried. */
export interface IngressReportPort {
  report(ref: IngressRef, reporter: string, report: IngressReport): Promise<unknown>;
  withdraw(ref: IngressRef, reporter: string): Promise<unknown>;
}

export interface IngressReportsParts {
  readonly port: IngressReportPort;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Distinguishes the reports of this process from those of others, of its successor too. */
  readonly processId: string;
  readonly log: Tell;
}

interface Notice extends IngressRef {
  /** Of the Ingress: one that was deleted and declared again has lost its reports, so they must be sent again. */
  readonly uid: string;
  readonly loadBalancer: readonly SentAddress[];
}

/** What this balancer reports to the registry about the Ingresses that it routes by: where it answers for them. */
export class IngressReports {
  readonly #clock: Clock;
  readonly #keeper: ReportKeeper<Notice>;
  #reported = new Map<string, IngressRef>();
  #closed: Promise<void> | undefined;

  constructor({ port, clock, random, processId, log }: IngressReportsParts) {
    this.#clock = clock;
    const reporter = reporterOf('lb', `${hostnameOf(hostname())}.${processId}`);
    this.#keeper = new ReportKeeper<Notice>(
      {
        async post(_key, { loadBalancer, ...ref }) {
          await ignoringAbsence(port.report(ref, reporter, { loadBalancer, forMs: REPORT_MS }));
        },
        async withdraw(key) {
          const [namespace = '', name = ''] = key.split('/');
          await ignoringAbsence(port.withdraw({ namespace, name }, reporter));
        },
      },
      { forMs: REPORT_MS, random, clock, onTrouble: (error) => note(error, log) },
    );
  }

  /** Reports these addresses of these Ingresses, and nothing of any other. */
  set(ingresses: readonly IngressObject[], loadBalancer: readonly SentAddress[]): void {
    const next = new Map<string, IngressRef>();
    for (const { namespace, name, uid } of loadBalancer.length === 0 ? [] : ingresses) {
      const key = `${namespace}/${name}`;
      next.set(key, { namespace, name });
      this.#keeper.set(key, { namespace, name, uid, loadBalancer });
    }
    for (const key of this.#reported.keys()) if (!next.has(key)) this.#keeper.withdraw(key);
    this.#reported = next;
  }

  /** Withdraws all reports, within two seconds. May be called twice. */
  close(): Promise<void> {
    this.#closed ??= Promise.race([this.#keeper.close(), pause(this.#clock, LAST_REPORTS_MS)]);
    return this.#closed;
  }
}

/** The Ingress was deleted, and its reports with it; the balancer has not heard of that yet. */
async function ignoringAbsence(sent: Promise<unknown>): Promise<void> {
  try {
    await sent;
  } catch (error) {
    if (!(error instanceof RollcallError && error.code === 'object_not_found')) throw error;
  }
}

function note(error: Error, log: Tell): void {
  if (error instanceof RollcallError)
    log(`the addresses of Ingresses do not get to the registry: ${error.message}`, 'warn');
  else log(`fault while reporting: ${error.stack ?? error.message}`, 'error');
}
