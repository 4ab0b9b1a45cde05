import type { Report, ReportListener } from '@rollcall/service-plane';

/** Logs, for the operator of this machine, each fault of a service once, and once its end. */
export class FaultLog implements ReportListener {
  readonly #log: (message: string) => void;
  readonly #faults = new Map<string, string>();

  constructor(log: (message: string) => void) {
    this.#log = log;
  }

  onReport(key: string, { conditions = [] }: Report): void {
    const sum = conditions.at(-1);
    const fault = sum?.status === 'False' ? `${sum.reason}: ${sum.message}` : undefined;
    if (fault === this.#faults.get(key)) return;
    if (fault === undefined) this.#faults.delete(key);
    else this.#faults.set(key, fault);
    this.#log(`${key}: ${fault ?? 'every address is served'}`);
  }

  onGone(key: string): void {
    this.#faults.delete(key);
  }
}
