import { Rollcall } from '@rollcall/client-sdk';
import { type HistoryEvent, History } from '@rollcall/testkit';
import { type OpenBackend, openMemory } from './backend.ts';
import { Instance } from './instance.ts';
import { Network } from './network.ts';
import { Node } from './node.ts';
import { SeededRandom } from './random.ts';
import { SimulatedTransport, type TransportParts } from './registry-transport.ts';
import { ServerSlot } from './registry-server.ts';
import type { Scenario } from './scenario.ts';
import { SimulatedStore } from './store.ts';
import type { SimulationContext } from './simulation-context.ts';
import { Timeline } from './timeline.ts';
import { Watcher } from './watcher.ts';

const BASE_MS = 1_800_000_000_000;
const GUARD_MS = 5_000;

/** A small fleet on virtual time: registry servers over a store, instances, watchers, and a network between them. */
export class World implements SimulationContext {
  readonly scenario: Scenario;
  readonly timeline = new Timeline();
  readonly random: SeededRandom;
  readonly network: Network;
  readonly store: SimulatedStore;
  readonly servers: readonly ServerSlot[];
  readonly instances: Instance[] = [];
  readonly watchers: Watcher[] = [];
  readonly history = new History();
  readonly trace: string[] = [];
  /** Number of calls that clients have sent. */
  sent = 0;
  #faults = 0;
  #processes = 0;

  constructor(seed: number, scenario: Scenario, open: OpenBackend = openMemory) {
    this.scenario = scenario;
    this.random = new SeededRandom(seed);
    const { timeline, random } = this;
    this.network = new Network(timeline, random.fork());
    const { logLength } = scenario;
    const options = { open, timeline, logLength, guardMs: GUARD_MS };
    this.store = new SimulatedStore(options, random.fork(), BASE_MS);
    this.servers = Array.from({ length: scenario.servers }, (_, i) => {
      const slot = new ServerSlot(i, {
        timeline,
        network: this.network,
        store: this.store,
        random: random.fork(),
        flags: [`--guard-ms=${GUARD_MS}`, '--warm-up-ms=2000', '--shutdown-ms=500'],
        onRestored: (server, taken) => this.note(`${server} restored ${taken}`),
      });
      slot.skewMs = scenario.skewsMs[i] ?? 0;
      return slot;
    });
  }

  get nowMs(): number {
    return this.timeline.nowMs;
  }

  get ttlMs(): number {
    return this.scenario.ttlMs;
  }

  nextProcess(): number {
    return ++this.#processes;
  }

  isUp(instance: string): boolean {
    return this.instances.some(({ id, node }) => id === instance && !node.isDead);
  }

  /** Starts all servers, instances and watchers. */
  begin(): void {
    for (const server of this.servers) server.start();
    for (let i = 0; i < this.scenario.instances; i++) this.join(`i${i}`);
    for (let i = 0; i < this.scenario.watchers; i++) {
      this.watchers.push(new Watcher(this, `w${i}`, i % 2 === 1));
    }
  }

  /** Starts a process that becomes the instance with this id; an existing one is superseded. */
  join(id: string): Instance {
    const instance = new Instance(this, id);
    this.instances.push(instance);
    return instance;
  }

  /** Instances whose process runs and was not asked to leave. */
  get live(): Instance[] {
    return this.instances.filter((one) => one.isLive);
  }

  /** A machine with a client of the registry. */
  client(name: string, told: Pick<TransportParts, 'onAnswered' | 'onEvent'>) {
    const node = new Node(name, this.timeline, this.random.fork());
    const { network, servers } = this;
    const url = servers.map((server) => server.url);
    const onSent = () => void this.sent++;
    const transport = new SimulatedTransport({ node, network, servers, onSent, ...told });
    const rollcall = new Rollcall({ url, runtime: { ...node.runtime(), transport } });
    return { node, rollcall };
  }

  tell(...events: readonly HistoryEvent[]): void {
    this.history.add(...events);
  }

  note(text: string): void {
    this.trace.push(`${this.nowMs.toFixed(1).padStart(9)}  ${text}`);
  }

  /** Starts a fault; the returned function ends it. `healsMs`: how long its effects may last after that. */
  fault(what: string, breaks: readonly string[]): (healsMs?: number) => void {
    const name = `${what} #${this.#faults++}`;
    this.note(`${name} begins`);
    this.tell({ kind: 'fault', atMs: this.nowMs, what: 'begin', name, breaks });
    return (healsMs = 0) => {
      this.note(`${name} ends`);
      this.tell({ kind: 'fault', atMs: this.nowMs + healsMs, what: 'end', name });
    };
  }
}
