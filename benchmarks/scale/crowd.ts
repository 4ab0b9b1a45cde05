import { setTimeout as sleep } from 'node:timers/promises';
import { Host } from './host.ts';
import { instanceId, pathOf, serviceOf } from './roll-names.ts';
import type { Settings } from './settings.ts';
import { emptyTally } from './tally.ts';
import { WatchStream } from './watch-stream.ts';

/** Services that each stream watches. */
const SERVICES = 2;
/**
 * Streams opened together, and the pause after them in ms: fewer than the 1,000 per second
 * that a server accepts by default.
 */
const OPENING = { atOnce: 40, pauseMs: 50 };
const CHANGES = 10;
const PAUSE_MS = 200;
/** A change that has not reached the last stream after this is given up, in ms. */
const PATIENCE_MS = 10_000;

/** Very many watch streams of the same few services on one server. */
export class Crowd {
  readonly #port: number;
  readonly #settings: Settings;
  readonly #streams: WatchStream[] = [];
  #onChange: (data: string) => void = () => {};
  #refused = 0;
  #ended = 0;

  constructor(port: number, settings: Settings) {
    this.#port = port;
    this.#settings = settings;
  }

  /** Opens all streams; returns how long that took, and how many were refused or ended meanwhile. */
  async open(): Promise<{ ms: number; refused: number; ended: number }> {
    const { services: all, crowd } = this.#settings;
    const services = Array.from({ length: SERVICES }, (_, i) => serviceOf(all - 1 - i, all));
    const startMs = performance.now();
    const open = () =>
      WatchStream.open({
        port: this.#port,
        services,
        onChange: (data) => this.#onChange(data),
        onEnd: (isRefused) => {
          if (isRefused) this.#refused++;
          else this.#ended++;
        },
      });
    while (this.#streams.length < crowd) {
      const count = Math.min(OPENING.atOnce, crowd - this.#streams.length);
      const some = await Promise.all([
        sleep(OPENING.pauseMs),
        ...Array.from({ length: count }, open),
      ]);
      this.#streams.push(...some.filter((stream) => stream !== undefined));
    }
    return { ms: performance.now() - startMs, refused: this.#refused, ended: this.#ended };
  }

  /** Makes a few changes, one after another; returns the times to the last stream, in ms; Infinity = never. */
  async change(): Promise<number[]> {
    const { services } = this.#settings;
    const host = new Host({ port: this.#port, number: 0, isFresh: false });
    const id = instanceId(services - 1);
    const path = pathOf(serviceOf(services - 1, services), id);
    const times: number[] = [];
    for (let change = 0; change < CHANGES; change++) {
      const startMs = performance.now();
      const isAtLast = this.#nextChange(`"${id}/http"`);
      await host.call(emptyTally(), 'PATCH', { path, body: { weight: 1 + change } });
      const isThere = await Promise.race([isAtLast, sleep(PATIENCE_MS, 0)]);
      times.push(isThere === 0 ? Infinity : isThere - startMs);
      await sleep(PAUSE_MS);
    }
    await host.close();
    return times;
  }

  close(): void {
    for (const stream of this.#streams) stream.close();
  }

  /** Resolves with the time at which all streams have received a change of the endpoint. */
  #nextChange(endpoint: string): Promise<number> {
    let left = this.#streams.length;
    return new Promise((resolve) => {
      this.#onChange = (data) => {
        if (data.includes(endpoint) && --left === 0) resolve(performance.now());
      };
    });
  }
}
