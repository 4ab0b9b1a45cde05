import type { CalledTarget } from '@rollcall/client-sdk';
import type { Handshaker } from '@rollcall/dataplane';
import type { FrontConfig } from '../config/schema.ts';
import type { LiveTargetGroup } from '../groups/target-group.ts';
import type { Step } from '../reload/step.ts';
import type { FrontReport } from './front-report.ts';

/** Whether all processes that should carry requests do so. */
export interface WorkersState {
  readonly wanted: number;
  readonly serving: number;
  /** Their process ids. */
  readonly pids: readonly number[];
  /** How many have ended unasked. */
  readonly lost: number;
}

/** What takes the requests of a balancer. */
export interface Front {
  /** The bound addresses by name of the listener: `http://127.0.0.1:8080`. */
  readonly addresses: Readonly<Record<string, string>>;
  /**
   * Opens what another configuration needs. `handshakers`: by name of the listener, for those over TLS.
   * @throws StartError when an address cannot be bound, or the access log cannot be opened.
   */
  prepare(
    next: FrontConfig,
    groups: ReadonlyMap<string, LiveTargetGroup>,
    handshakers: ReadonlyMap<string, Handshaker>,
  ): Promise<Step>;
  report(): FrontReport | Promise<FrontReport>;
  /** The calls to the targets of a group, for reports to the registry. */
  calledTargets(group: LiveTargetGroup): Iterable<CalledTarget>;
  /** The processes that carry the requests; absent: there is one, this one. */
  readonly workers?: WorkersState;
  /** Must be called several times per second. */
  tick(): void;
  /** Accepts no more connections, lets requests in progress finish for `graceMs`, and writes the last lines of its log. */
  close(graceMs: number): Promise<void>;
}
