import type {
  ExchangeRecord,
  Observer,
  Target,
  TargetOutcome,
  TargetResult,
} from '@rollcall/dataplane';
import type { AccessLog } from '../access-log/access-log.ts';
import { GroupTarget } from '../groups/group-target.ts';
import { GroupTraffic } from './group-traffic.ts';

/** For requests that reached no group: refused, without a rule, or answered by a rule. */
const NO_GROUP = '';

/** Observes every request and every attempt: counts, logs, and notifies the target's group. */
export class TrafficStats implements Observer {
  readonly groups = new Map<string, GroupTraffic>();
  /** Undefined: requests are not logged. */
  log: AccessLog | undefined;

  constructor() {
    this.setGroups([]);
  }

  /** From now on these groups are counted. Those that were counted before go on. */
  setGroups(names: Iterable<string>): void {
    const wanted = new Set([NO_GROUP, ...names]);
    for (const name of this.groups.keys()) if (!wanted.has(name)) this.groups.delete(name);
    for (const name of wanted) {
      if (!this.groups.has(name)) this.groups.set(name, new GroupTraffic());
    }
  }

  onResponse(record: ExchangeRecord): void {
    this.groups.get(record.group)?.add(record);
    this.log?.add(record);
  }

  onTargetResult(target: Target, outcome: TargetOutcome, result: TargetResult): void {
    if (!(target instanceof GroupTarget)) return;
    const { status, durationMs } = result;
    if (outcome === 'answered') {
      target.traffic.answered(durationMs, status >= 500);
      target.owner.onAnswered(target, status);
    } else if (outcome !== 'cancelled' && outcome !== 'not_tried') {
      target.traffic.failed();
      target.owner.onFailed(target, outcome === 'connect_failed');
    }
  }
}
