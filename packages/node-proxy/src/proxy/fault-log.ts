import type { Report, ReportListener } from '@rollcall/service-plane';

/** Tells the operator of this machine of a service that is not served: once for each fault, and once for its end. */
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
