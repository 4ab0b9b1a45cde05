// Watches services, makes changes and measures them, as a worker of the benchmark: node watching.ts SETTINGS PORT...
import { type ChangeFigures, Changes } from './changes.ts';
import { Crowd } from './crowd.ts';
import { Host } from './host.ts';
import { serviceOf } from './roll-names.ts';
import type { Settings } from './settings.ts';
import { WatchStream } from './watch-stream.ts';

/** Requests of the main program. */
export type WatchingRequest =
  | { readonly ask: 'open' | 'figures' | 'crowdChange' | 'crowdClose' }
  | { readonly ask: 'crowdOpen'; readonly port: number };

export interface WatchingFigures extends ChangeFigures {
  readonly refused: number;
  /** Streams that ended unexpectedly. */
  readonly ended: number;
}

/** Number of services per watcher. */
const SERVICES_EACH = 5;
/** Numbers of the hosts that write changes; they must differ from those that keep instances. */
const FIRST_HOST = 90 << 16;
const HOSTS = 8;

const [text = '{}', ...ports] = process.argv.slice(2);
const settings = JSON.parse(text) as Settings;
const { services, watchers } = settings;
/** Each server has a watcher for the same services. */
const groups = Math.max(1, Math.floor(watchers / ports.length));
const watched = [
  ...new Set(Array.from({ length: groups * SERVICES_EACH }, (_, i) => i % services)),
];
const streamsEach = (groups * SERVICES_EACH * ports.length) / watched.length;
const hosts = Array.from({ length: HOSTS }, (_, i) => {
  const port = Number(ports[i % ports.length]);
  return new Host({ port, number: FIRST_HOST + i, isFresh: false });
});
const changes = new Changes(hosts, settings, { services: watched, streamsEach });
const refusals = { refused: 0, ended: 0 };
let crowd: Crowd | undefined;

/** Opens the watch streams; from then on changes are made. */
async function open(): Promise<object> {
  for (let group = 0; group < groups; group++) {
    const own = Array.from({ length: SERVICES_EACH }, (_, i) =>
      serviceOf((group * SERVICES_EACH + i) % services, services),
    );
    const opening = ports.map((port) =>
      WatchStream.open({
        port: Number(port),
        services: own,
        onChange: (data) => changes.arrived(data),
        onEnd: (isRefused) => {
          if (isRefused) refusals.refused++;
          else refusals.ended++;
        },
      }),
    );
    await Promise.all(opening);
  }
  setInterval(() => void changes.make(), 1_000 / settings.changes);
  return { streams: groups * ports.length, services: watched.length };
}

function takeFigures(): WatchingFigures {
  const figures = { ...changes.take(), ...refusals };
  refusals.refused = 0;
  refusals.ended = 0;
  return figures;
}

function answer(request: WatchingRequest): object | Promise<object> {
  if (request.ask === 'open') return open();
  if (request.ask === 'figures') return takeFigures();
  if (request.ask === 'crowdOpen') {
    crowd = new Crowd(request.port, settings);
    return crowd.open();
  }
  if (request.ask === 'crowdChange') return crowd?.change() ?? [];
  crowd?.close();
  return {};
}

process.on('message', (request: WatchingRequest) => {
  void Promise.resolve(answer(request)).then((reply) => process.send?.(reply));
});
process.once('disconnect', () => process.exit(0));
process.send?.({});
