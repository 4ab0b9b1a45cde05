import type { EndpointLoad } from '@rollcall/client-sdk';
import { EXIT, usageError } from '../base/cli-error.ts';
import { bucketOf, latencyText } from '../output/latency.ts';
import { tableText } from '../output/table.ts';
import { RESOURCES, type Selection, selectionsOf } from '../resources/catalog.ts';
import { nothingFound } from '../resources/finding.ts';
import { instances, instanceSpec } from '../resources/instances.ts';
import { services } from '../resources/services.ts';
import { type Arguments, type Command, flagOption, textOption } from '../session/command.ts';
import { type Context, warn } from '../session/context.ts';
import { trafficOfAll } from '../session/registry-servers.ts';
import { SELECTING } from './selecting.ts';

/** The calls to one instance, or to all instances of a service. */
interface Row {
  readonly namespace: string;
  readonly name: string;
  readonly service: string;
  /** Undefined: no caller reports calls to it. */
  readonly load: Load | undefined;
}

type Load = Omit<EndpointLoad, 'namespace' | 'service' | 'endpoint' | 'callers'>;

const NO_LOAD: Load = {
  callsPerSecond: 0,
  failuresPerSecond: 0,
  inFlight: 0,
  latencies: [],
};

const COLUMNS = ['CALLS/S', 'FAILED/S', 'P50', 'P99', 'IN FLIGHT'];

/** What rows can be sorted by, the largest first. */
const SORTS: Readonly<Record<string, (load: Load) => number>> = {
  calls: ({ callsPerSecond }) => callsPerSecond,
  failures: ({ failuresPerSecond }) => failuresPerSecond,
  latency: ({ latencies }) => {
    const { index = -1, part = 0 } = bucketOf(latencies, 0.99) ?? {};
    return index + part;
  },
  'in-flight': ({ inFlight }) => inFlight,
};

function sum(a: Load, b: Load): Load {
  const [longer, shorter] =
    a.latencies.length < b.latencies.length
      ? [b.latencies, a.latencies]
      : [a.latencies, b.latencies];
  return {
    callsPerSecond: a.callsPerSecond + b.callsPerSecond,
    failuresPerSecond: a.failuresPerSecond + b.failuresPerSecond,
    inFlight: a.inFlight + b.inFlight,
    latencies: longer.map((rate, i) => rate + (shorter[i] ?? 0)),
  };
}

/** The instances on the roll with the calls to each. */
async function instanceRows(
  context: Context,
  namespace: string,
  selector: string | undefined,
): Promise<Row[]> {
  const [objects, loads] = await Promise.all([
    instances.list(context, namespace, selector),
    trafficOfAll(context, namespace),
  ]);
  const byInstance = new Map<string, Load>();
  for (const load of loads) {
    const key = instanceOf(load);
    byInstance.set(key, sum(byInstance.get(key) ?? NO_LOAD, load));
  }
  return objects.map((object) => {
    const { namespace: ns, name } = object.metadata;
    const { service } = instanceSpec(object);
    const load = byInstance.get(`${ns}/${service}/${name}`);
    return { namespace: ns, name, service, load };
  });
}

/** `namespace/service/instance`. The id of an endpoint names the instance's service if it is not the called one. */
function instanceOf({ namespace, service, endpoint }: EndpointLoad): string {
  const instance = endpoint.slice(0, endpoint.lastIndexOf('/'));
  return `${namespace}/${instance.includes('/') ? instance : `${service}/${instance}`}`;
}

async function serviceRows(context: Context, namespace: string, selector?: string): Promise<Row[]> {
  const [objects, loads] = await Promise.all([
    services.list(context, namespace, selector),
    trafficOfAll(context, namespace),
  ]);
  return objects.map(({ metadata: { namespace: ns, name } }) => {
    const own = loads.filter((one) => one.namespace === ns && one.service === name);
    return {
      namespace: ns,
      name,
      service: name,
      load: own.length === 0 ? undefined : own.reduce(sum, NO_LOAD),
    };
  });
}

function cellsOf({ load }: Row): string[] {
  if (load === undefined) return COLUMNS.map(() => '<none>');
  return [
    rateText(load.callsPerSecond),
    rateText(load.failuresPerSecond),
    latencyText(load.latencies, 0.5),
    latencyText(load.latencies, 0.99),
    String(load.inFlight),
  ];
}

const rateText = (perSecond: number) =>
  perSecond === 0 || perSecond >= 10 ? perSecond.toFixed(0) : perSecond.toFixed(1);

function sorted(rows: readonly Row[], by: string | undefined): Row[] {
  if (by === undefined) return [...rows];
  const valueOf = SORTS[by];
  if (valueOf === undefined || !Object.hasOwn(SORTS, by)) {
    throw usageError(`--sort-by: expected ${Object.keys(SORTS).join(', ')}, got "${by}"`);
  }
  return rows.toSorted((a, b) => valueOf(b.load ?? NO_LOAD) - valueOf(a.load ?? NO_LOAD));
}

/** The rows of these names, and the names that no row has; all rows without names. */
function named(rows: readonly Row[], names: readonly string[]) {
  if (names.length === 0) return { rows, missing: [] };
  const spellingsOf = ({ name, service }: Row) => [name, `${service}/${name}`];
  const known = new Set(rows.flatMap(spellingsOf));
  return {
    rows: rows.filter((row) => spellingsOf(row).some((one) => names.includes(one))),
    missing: names.filter((name) => !known.has(name)),
  };
}

/** The columns besides the calls: namespace, name, service. */
function placeOf({ namespace, name, service }: Row, shows: Shown): string[] {
  return [...(shows.namespace ? [namespace] : []), name, ...(shows.service ? [service] : [])];
}

interface Shown {
  readonly namespace: boolean;
  readonly service: boolean;
}

function headOf(shows: Shown): string[] {
  const place = placeOf(
    { namespace: 'NAMESPACE', name: 'NAME', service: 'SERVICE', load: NO_LOAD },
    shows,
  );
  return [...place, ...COLUMNS];
}

const TYPES = [instances, services];

/** `svc`, `svc hello`, `svc/hello`, or names of instances alone. */
function wantedBy(words: readonly string[]): Selection {
  const [first = 'instances'] = words;
  const isType = (word: string) =>
    RESOURCES.some(({ names }) => names.includes(word.toLowerCase()));
  const isTyped = isType(first.split('/')[0] ?? '');
  const selections = selectionsOf(isTyped ? [first, ...words.slice(1)] : ['instances', ...words]);
  const [selection, ...others] = selections;
  if (selection === undefined || others.length > 0 || !TYPES.includes(selection.resource)) {
    throw usageError(`top: expected instances or services, got "${words.join(' ')}"`);
  }
  return selection;
}

async function run(context: Context, given: Arguments): Promise<number> {
  const { resource, names } = wantedBy(given.words);
  const shows = {
    namespace: flagOption(given, 'all-namespaces'),
    service: resource === instances,
  };
  const namespace = shows.namespace ? '*' : context.namespace;
  const rowsOf = shows.service ? instanceRows : serviceRows;
  const all = await rowsOf(context, namespace, textOption(given, 'selector'));
  const { rows, missing } = named(sorted(all, textOption(given, 'sort-by')), names);
  if (rows.length > 0) {
    const heads = flagOption(given, 'no-headers') ? [] : [headOf(shows)];
    const lines = rows.map((row) => [...placeOf(row, shows), ...cellsOf(row)]);
    context.out.write(tableText([...heads, ...lines]));
  } else if (missing.length === 0)
    warn(context, nothingFound(context, [{ resource, names }], shows.namespace));
  for (const name of missing) {
    warn(context, `Error from server (NotFound): ${resource.names[0]} "${name}" not found`);
  }
  return missing.length === 0 ? EXIT.ok : EXIT.failed;
}

export const top: Command = {
  name: 'top',
  summary:
    'Show the calls to each instance: rate, failures, latency, in flight; as the SDK and the balancer report them',
  usage: 'top [instances | services] [NAME...] [-l SELECTOR] [-A] [--sort-by=COLUMN]',
  takes: ['instances', 'services'],
  examples: ['top', 'top instances -l app=nginx --sort-by=latency', 'top services -A'],
  options: {
    ...SELECTING,
    'sort-by': {
      type: 'string',
      value: 'COLUMN',
      help: `The largest first, by one of ${Object.keys(SORTS).join(', ')}; default: by name`,
    },
    'no-headers': { type: 'boolean', help: 'Print no headings' },
  },
  run,
};
