import { EventEmitter } from 'node:events';
import { createServer } from 'node:http';
import { startTestServer } from '@rollcall/registry-server/testing';
import { until } from '@rollcall/testkit';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { SignalSource } from '../base/runtime.ts';
import { Rollcall } from '../rollcall.ts';
import { FakeRegistry } from './fake-registry.ts';
import type { InstanceOptions } from '../serving/instance-options.ts';
import { serveInstance } from '../serving/serve-instance.ts';

/** The signals of one of several processes that a test plays. */
export class PlayedSignals extends EventEmitter implements SignalSource {
  readonly raised: string[] = [];
  raise(signal: NodeJS.Signals): void {
    this.raised.push(signal);
  }
}

/** A registry with clients, and what a test must end. */
export class InstanceScene {
  readonly warnings: string[] = [];
  readonly #registry: Awaited<ReturnType<typeof startTestServer>>;
  readonly #endings: (() => unknown)[] = [];

  private constructor(registry: Awaited<ReturnType<typeof startTestServer>>) {
    this.#registry = registry;
  }

  static async start(): Promise<InstanceScene> {
    return new InstanceScene(await startTestServer());
  }

  get url(): string {
    return this.#registry.url;
  }

  /** A client in a process of its own, as far as signals are concerned. */
  client(signals: SignalSource = new PlayedSignals(), url = this.url): Rollcall {
    const warn = (message: string) => void this.warnings.push(message);
    const client = new Rollcall({ url, runtime: { signals, warn } });
    this.atEnd(() => client.close());
    return client;
  }

  /** A client of a registry that refuses every instance. */
  async refusing(): Promise<Rollcall> {
    const registry = await FakeRegistry.start();
    this.atEnd(() => registry.kill());
    registry.script = () => 'forbidden';
    return this.client(new PlayedSignals(), registry.url);
  }

  atEnd(end: () => unknown): void {
    this.#endings.push(end);
  }

  /** The instances of `orders` on the roll: port and state. */
  async roll(): Promise<Record<number, string>> {
    const reply = await fetch(`${this.url}/v1/namespaces/default/services/orders/endpoints`);
    if (!reply.ok) return {};
    const { endpoints } = (await reply.json()) as { endpoints: { port: number; state: string }[] };
    return Object.fromEntries(endpoints.map(({ port, state }) => [port, state]));
  }

  /** An instance that stays, so that calls always have somewhere to go. Returns its port. */
  async other(): Promise<number> {
    const server = createServer((_, response) => response.end('other')).listen(0, '127.0.0.1');
    const instance = await serveInstance(this.client(), server, { service: 'orders' });
    this.atEnd(() => instance.drain());
    return (server.address() as { port: number }).port;
  }

  /** Calls `orders` all the time while `act` runs, GET and POST. Returns how many were answered, and what failed. */
  async underCalls(
    act: () => Promise<unknown>,
  ): Promise<{ answers: Set<string>; failed: unknown[] }> {
    const orders = this.client().service('orders');
    await orders.ready({ endpoints: 2 });
    const [answers, failed]: [Set<string>, unknown[]] = [new Set(), []];
    const over = new AbortController();
    const callers = Array.from({ length: 8 }, async (_, caller) => {
      for (let n = caller; !over.signal.aborted; n++) {
        try {
          const method = n % 2 === 0 ? 'GET' : 'POST';
          const { statusCode, body } = await orders.request('/', { method });
          answers.add(await body.text());
          if (statusCode !== 200) failed.push(statusCode);
        } catch (error) {
          failed.push(error);
        }
      }
    });
    try {
      await until(() => answers.size === 2);
      await act();
    } finally {
      over.abort();
      await Promise.all(callers);
    }
    return { answers, failed };
  }

  async close(): Promise<void> {
    for (const end of this.#endings.splice(0).toReversed()) await end();
    await this.#registry.close();
  }
}

/** An application of a framework that listens, and answers GET and POST of `/` with its name after a moment. */
interface StartedApplication {
  readonly port: number;
  /** As the framework's users close it. */
  close(): Promise<unknown>;
}

export type StartApplication = (
  client: Rollcall,
  options: InstanceOptions,
) => Promise<StartedApplication>;

/** What holds for an instance with each framework. */
export function frameworkCases(name: string, start: StartApplication): void {
  describe(`an instance of ${name}`, () => {
    let scene: InstanceScene;
    beforeEach(async () => {
      scene = await InstanceScene.start();
    });
    afterEach(() => scene.close());

    const started = async (options: Partial<InstanceOptions> = {}) => {
      const signals = new PlayedSignals();
      const app = await start(scene.client(signals), { service: 'orders', ...options });
      scene.atEnd(() => app.close());
      return { ...app, signals };
    };

    test('is on the roll when it listens, with its port and what else it says', async () => {
      const labels = { version: '2' };
      const { port } = await started({ labels, zone: 'eu-1', id: 'a' });
      await until(async () => (await scene.roll())[port] === 'up');
      const orders = scene.client().service('orders');
      await orders.ready();
      expect(orders.endpoints()).toMatchObject([{ instance: 'a', port, zone: 'eu-1', labels }]);
      const reply = await orders.request('/');
      expect(await reply.body.text()).toBe(name);
    });

    test('has the status that its readiness says', async () => {
      let isReady = false;
      const { port } = await started({ readiness: () => isReady, readinessIntervalMs: 10 });
      const state = async () => (await scene.roll())[port];
      await until(async () => (await state()) === 'starting');
      isReady = true;
      await until(async () => (await state()) === 'up');
      isReady = false;
      await until(async () => (await state()) === 'down');
      isReady = true;
      await until(async () => (await state()) === 'up');
    });

    // Every caller says that it knows, so nobody waits for this long.
    const drain = { settleMs: 600_000, lingerMs: 50 };

    test('leaves at a signal without failing a call', async () => {
      const [{ port, signals }, other] = [await started({ drain }), await scene.other()];
      const { answers, failed } = await scene.underCalls(async () => {
        signals.emit('SIGTERM');
        await until(async () => !(port in (await scene.roll())));
        await until(() => signals.listenerCount('SIGTERM') === 0);
      });
      expect(failed).toEqual([]);
      expect(answers).toEqual(new Set([name, 'other']));
      expect(await scene.roll()).toEqual({ [other]: 'up' });
      await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toThrow('fetch failed');
    });

    test('leaves when it is closed without failing a call', async () => {
      const [app, other] = [await started({ drain }), await scene.other()];
      const { failed } = await scene.underCalls(() => app.close());
      expect(failed).toEqual([]);
      expect(await scene.roll()).toEqual({ [other]: 'up' });
      expect(app.signals.listenerCount('SIGTERM')).toBe(0);
    });

    test('names what is wrong with its options', async () => {
      const wrong: [object, RegExp][] = [
        [{ service: '' }, /^option service: /],
        [{ readines: () => true }, /^option readines: .*did you mean readiness\?/],
        [{ readiness: true }, /^option readiness: expected a function, got true/],
        [{ readiness: () => true, status: 'up' }, /^option status: .*got both/],
        [{ readinessIntervalMs: 0 }, /^option readinessIntervalMs: .*got 0/],
        [{ drain: { lingerms: 1 } }, /^option drain.lingerms: .*did you mean lingerMs/],
        [{ signals: true }, /^option signals: there is no such option/],
        [{ weight: -1 }, /^option weight: .*got -1/],
      ];
      for (const [options, message] of wrong)
        await expect(started(options)).rejects.toThrow(message);
      expect(await scene.roll()).toEqual({});
    });
  });
}
