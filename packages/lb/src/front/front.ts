import type { Config } from '../config/schema.ts';
import type { RegistryTargetGroup } from '../groups/target-group.ts';
import type { Step } from '../reload/step.ts';
import type { FrontReport } from './front-report.ts';

/** What takes the requests of a balancer. */
export interface Front {
  /** The bound addresses by name of the listener: `http://127.0.0.1:8080`. */
  readonly addresses: Readonly<Record<string, string>>;
  /**
   * Opens what another configuration needs.
   * @throws StartError when an address cannot be bound, or the access log cannot be opened.
   */
  prepare(next: Config, groups: ReadonlyMap<string, RegistryTargetGroup>): Promise<Step>;
  report(): FrontReport | Promise<FrontReport>;
  /** Must be called several times per second. */
  tick(): void;
  /** Accepts no more connections, lets requests in progress finish for `graceMs`, and writes the last lines of its log. */
  close(graceMs: number): Promise<void>;
}
