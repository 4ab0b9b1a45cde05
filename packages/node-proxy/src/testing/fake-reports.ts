import type { Condition, ServiceReport } from '@rollcall/client-sdk';
import type { ReportPort } from '@rollcall/service-plane';

/** Keeps the reports in memory. */
export class FakeReports implements ReportPort {
  readonly standing = new Map<string, readonly Condition[]>();
  count = 0;
  isAway = false;

  async report(
    service: string,
    reporter: string,
    { conditions = [] }: Partial<ServiceReport>,
  ): Promise<void> {
    this.count++;
    if (this.isAway) throw new Error('away');
    this.standing.set(`${service} ${reporter}`, conditions);
  }

  async withdrawReport(service: string, reporter: string): Promise<void> {
    this.count++;
    if (this.isAway) throw new Error('away');
    this.standing.delete(`${service} ${reporter}`);
  }

  /** The conditions of a service, such as `ClusterIPBound=False AddressInUse: 127...`. */
  of(service: string): string[] {
    const [found] = [...this.standing].filter(([key]) => key.startsWith(`${service} `));
    return (found?.[1] ?? []).map(
      ({ type, status, reason, message }) => `${type}=${status} ${reason}: ${message}`,
    );
  }
}
