import type { Endpoint } from '@rollcall/client-sdk';
import type { LiveTargetGroup } from '../groups/target-group.ts';
import type { PictureMessage, TargetCalls, TargetHealth, ToWorker } from './messages.ts';

/** Tells the workers which targets a group has, and how they are. */
export class GroupRelay {
  readonly id: number;
  readonly group: LiveTargetGroup;
  readonly #tell: (message: ToWorker) => void;
  readonly #endChanges: () => void;
  #toldEndpoints: readonly Endpoint[] | undefined;
  #toldWhy = '';
  /** By target: the object changes when another process has its place. */
  #toldHealth = new Map<object, TargetHealth>();
  #isDue = false;

  /** `tell`: to all workers that know the group. */
  constructor(id: number, group: LiveTargetGroup, tell: (message: ToWorker) => void) {
    this.id = id;
    this.group = group;
    this.#tell = tell;
    this.#endChanges = group.onChange(() => this.#plan());
  }

  /** Everything, for a worker that knows nothing yet. */
  *all(): Generator<ToWorker> {
    this.flush();
    yield this.#picture();
    yield { kind: 'health', source: this.id, targets: [...this.#toldHealth.values()] };
  }

  /** Adds the calls to targets of the group, which a worker has counted. */
  addCalls(calls: readonly TargetCalls[]): void {
    const own = calls.filter(({ source }) => source === this.id);
    if (own.length === 0) return;
    const targets = new Map(this.group.targets().map((target) => [target.id, target]));
    for (const { id, window } of own) targets.get(id)?.traffic.add(window);
  }

  close(): void {
    this.#endChanges();
  }

  /** Tells what has changed. Must be called now and then while there is no picture: why there is none may change. */
  flush(): void {
    this.#isDue = false;
    const { endpoints, explanation } = this.group;
    if (endpoints !== this.#toldEndpoints || explanation !== this.#toldWhy) {
      this.#toldEndpoints = endpoints;
      this.#toldWhy = explanation;
      this.#tell(this.#picture());
    }
    const targets = this.#newHealth();
    if (targets.length > 0) this.#tell({ kind: 'health', source: this.id, targets });
  }

  #picture(): PictureMessage {
    const endpoints = this.#toldEndpoints;
    return { kind: 'picture', source: this.id, endpoints, why: this.#toldWhy };
  }

  #newHealth(): TargetHealth[] {
    const last = this.#toldHealth;
    const news: TargetHealth[] = [];
    this.#toldHealth = new Map();
    for (const target of this.group.targets()) {
      const { id, health } = target;
      const told = last.get(target);
      const isOld = told !== undefined && told.state === health.state;
      const current = isOld ? told : { id, state: health.state, detail: health.detail };
      this.#toldHealth.set(target, current);
      if (!isOld) news.push(current);
    }
    return news;
  }

  /** Several changes of the same moment are one. */
  #plan(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    queueMicrotask(() => {
      if (this.#isDue) this.flush();
    });
  }
}
