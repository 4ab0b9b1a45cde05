import { afterEach, beforeEach, describe } from 'vitest';
import type { Store } from '../store/store.ts';
import { type StoreUnderTest, WRITE } from './conformance/cases.ts';
import { changingCases } from './conformance/changing.ts';
import { grantingCases } from './conformance/granting.ts';
import { holdingCases } from './conformance/holding.ts';
import { lateCases } from './conformance/lateness.ts';
import { loggingCases } from './conformance/logging.ts';
import { restoringCases } from './conformance/restoring.ts';
import { sweepingCases } from './conformance/sweeping.ts';
import type { CreateHarness, StoreHarness } from './store-harness.ts';

/** The promises of every store driver. Run it with each of them. */
export function storeConformance(name: string, create: CreateHarness): void {
  // One case writes thousands of records, which takes a while where each write waits for a disk.
  describe(`store on ${name}`, { timeout: 90_000 }, () => {
    let harness: StoreHarness;
    const on: StoreUnderTest = {
      get store(): Store {
        return harness.store;
      },
      get harness() {
        return harness;
      },
      async restart(options) {
        await harness.close();
        harness = await create(options);
      },
      async live(ms) {
        for (let left = ms; left > 0; left -= 1_000) {
          await harness.advance(Math.min(left, 1_000));
          await harness.store.expire(WRITE);
        }
      },
    };

    beforeEach(async () => {
      harness = await create();
      await harness.store.expire(WRITE);
    });
    afterEach(() => harness.close());

    grantingCases(on);
    lateCases(on);
    holdingCases(on);
    changingCases(on);
    sweepingCases(on);
    loggingCases(on);
    restoringCases(on);
  });
}
