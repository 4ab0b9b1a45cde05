import type { RollcallOptions } from '../api/options.ts';
import { Rollcall } from '../rollcall.ts';
import { FakeRegistry } from './fake-registry.ts';

type Ending = () => unknown;

/** Resources that a test opened; ended in reverse order. */
export class TestContext {
  readonly #endings: Ending[] = [];

  /** A client of the registries, with short pauses. */
  client(
    registries: FakeRegistry | readonly FakeRegistry[],
    given: Partial<RollcallOptions> = {},
  ): Rollcall {
    const url = [registries].flat().map((registry) => registry.url);
    const client = new Rollcall({ url, reconnectMaxMs: 200, ...given });
    this.onEnd(() => client.close());
    return client;
  }

  async registry(): Promise<FakeRegistry> {
    const registry = await FakeRegistry.start();
    this.onEnd(() => registry.kill());
    return registry;
  }

  onEnd(ending: Ending): void {
    this.#endings.push(ending);
  }

  async end(): Promise<void> {
    for (const ending of this.#endings.splice(0).toReversed()) await ending();
  }
}
