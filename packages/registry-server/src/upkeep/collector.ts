import type { Loop, Supervisor } from '@rollcall/daemon';
import type { OwnedObjects } from '../writes/declared/owned-objects.ts';

/** How often owned objects are looked at, in ms. */
const COLLECT_MS = 1_000;

/** Deletes the objects whose owners are gone, also those that an earlier server did not come to delete. */
export class Collector {
  readonly #loop: Loop;

  constructor(owned: OwnedObjects, supervisor: Supervisor) {
    this.#loop = supervisor.every('collector', COLLECT_MS, () => owned.collect());
  }

  close(): void {
    this.#loop.cancel();
  }
}
