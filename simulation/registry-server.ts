import { BareServer } from '@rollcall/registry-server/testing';
import type { Network } from './network.ts';
import { Node } from './node.ts';
import type { SeededRandom } from './random.ts';
import type { SimulatedStore } from './store.ts';
import type { Timeline } from './timeline.ts';

export interface ServerParts {
  readonly timeline: Timeline;
  readonly network: Network;
  readonly store: SimulatedStore;
  readonly random: SeededRandom;
  readonly flags: readonly string[];
  readonly onRestored: (server: string, taken: number) => void;
}

/** An address at which registry server processes run, one after another. */
export class ServerSlot {
  readonly name: string;
  readonly url: string;
  readonly #parts: ServerParts;
  #process: { readonly node: Node; readonly server: BareServer } | undefined;
  skewMs = 0;

  constructor(index: number, parts: ServerParts) {
    this.name = `server${index}`;
    this.url = `http://${this.name}`;
    this.#parts = parts;
  }

  /** The process that listens there; undefined = none. */
  get process(): { readonly node: Node; readonly server: BareServer } | undefined {
    return this.#process;
  }

  start(): void {
    const { timeline, network, store, random, flags, onRestored } = this.#parts;
    const node = new Node(this.name, timeline, random.fork());
    node.skewMs = this.skewMs;
    const server = new BareServer({
      store: store.connect(node, network),
      clock: node.clock(),
      random: {
        hex: (bytes) => node.random.hex(bytes),
        share: () => node.random.share(),
        below: (limit) => Math.floor(node.random.share() * limit),
      },
      flags,
      told: { restored: (taken) => onRestored(this.name, taken) },
    });
    this.#process = { node, server };
  }

  kill(): void {
    const process = this.#process;
    this.#process = undefined;
    process?.node.kill();
    process?.server.stop();
  }

  /** Shuts down as on SIGTERM; resolves when the process has ended. */
  async leave(): Promise<void> {
    const process = this.#process;
    if (process === undefined) return;
    await process.server.leave();
    if (this.#process === process) this.#process = undefined;
    process.node.kill();
  }
}
