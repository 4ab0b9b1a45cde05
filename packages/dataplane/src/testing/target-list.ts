import type { ExchangeRecord, Observer, TargetOutcome } from '../model/observer.ts';
import type { Connector } from '../io/transport.ts';
import type { Decision, RequestView, Router } from '../model/router.ts';
import {
  type RetryRule,
  type Target,
  type TargetGroup,
  type TargetSnapshot,
  createTargetCounters,
} from '../model/target.ts';

export function createTarget(port: number, id = `target-${port}`, connector?: Connector): Target {
  const state = { inFlight: 0 };
  return {
    id,
    host: '127.0.0.1',
    port,
    counters: createTargetCounters(),
    connector,
    get inFlight() {
      return state.inFlight;
    },
    begin: () => void state.inFlight++,
    end: () => void state.inFlight--,
  };
}

/** Uses its targets in turn: the simplest group that a data plane can run on. */
export class TargetList implements TargetGroup, TargetSnapshot, Router {
  readonly name = 'list';
  retry: RetryRule | undefined;
  targets: Target[];
  /** Decides instead; undefined: all goes to this list, but for one path. */
  decide: ((request: RequestView) => Decision) | undefined;
  #turn = 0;

  constructor(targets: Target[]) {
    this.targets = targets;
  }

  snapshot(): TargetSnapshot {
    return this;
  }

  pick(tried: readonly Target[]): Target | undefined {
    for (let i = 0; i < this.targets.length; i++) {
      const target = this.targets[this.#turn++ % this.targets.length]!;
      if (!tried.includes(target)) return target;
    }
    return undefined;
  }

  explainNone() {
    return {
      code: 'no_targets',
      detail: 'nobody is there',
      cause: 'target group "list" has no targets',
    };
  }

  route(request: RequestView): Decision {
    if (this.decide !== undefined) return this.decide(request);
    if (request.path === '/refused') {
      return { kind: 'respond', status: 404, code: 'no_rule', detail: 'no rule matches' };
    }
    return { kind: 'forward', group: this };
  }
}

/** Records what it observes. */
export class Recorder implements Observer {
  readonly responses: ExchangeRecord[] = [];
  readonly results: { target: string; outcome: TargetOutcome }[] = [];

  onResponse(record: ExchangeRecord): void {
    this.responses.push({ ...record });
  }

  onTargetResult(target: Target, outcome: TargetOutcome): void {
    this.results.push({ target: target.id, outcome });
  }
}
