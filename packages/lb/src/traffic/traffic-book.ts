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

/** Requests that reached no group: refused, without a rule, or answered by one. */
const NO_GROUP = '';

/** Hears of every request and every attempt: counts, logs, and tells the target's group. */
export class TrafficBook implements Observer {
  readonly groups = new Map<string, GroupTraffic>();
  readonly #log: AccessLog | undefined;

  constructor(groupNames: Iterable<string>, log: AccessLog | undefined) {
    this.#log = log;
    for (const name of [NO_GROUP, ...groupNames]) this.groups.set(name, new GroupTraffic());
  }

  onResponse(record: ExchangeRecord): void {
    this.groups.get(record.group)?.add(record);
    this.#log?.add(record);
  }

  onTargetResult(target: Target, outcome: TargetOutcome, { status }: TargetResult): void {
    if (!(target instanceof GroupTarget)) return;
    if (outcome === 'answered') target.owner.onAnswered(target, status);
    else if (outcome !== 'cancelled' && outcome !== 'not_tried')
      target.owner.onFailed(target, outcome === 'connect_failed');
  }
}
