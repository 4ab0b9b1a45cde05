import type { ManifestObject } from '@rollcall/contract';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RegistryServer } from '../compose.ts';
import { ManifestApi, type Reply } from '../testing/manifest-api.ts';
import { type Drawn, mergedInto } from '../testing/object-model/draws.ts';
import {
  areEndpointsTaken,
  endpoints,
  ingressSpecs,
  isIngressTaken,
  isSliceTaken,
  slices,
} from '../testing/object-model/other-models.ts';
import {
  hasForeignFamilies,
  isServiceTaken,
  serviceSpecs,
  type Taken,
} from '../testing/object-model/service-model.ts';
import { startTestServer } from '../testing/test-server.ts';

let server: RegistryServer;
let api: ManifestApi;
beforeAll(async () => {
  server = await startTestServer();
  api = new ManifestApi(server);
});
afterAll(() => server.close());

const RUNS = Number(process.env['RUNS'] ?? 60);
const NAMES = ['one', 'two', 'three'];

/** A kind of object, its contents, and what the rules say of them. */
interface KindModel {
  readonly plural: string;
  readonly apiVersion: string;
  readonly kind: string;
  readonly content: fc.Arbitrary<Drawn>;
  /** Undefined: it does not say. */
  isTaken(
    content: Drawn,
    before: ManifestObject | undefined,
    all: readonly ManifestObject[],
  ): boolean | undefined;
}

/** The numbers that all services but this one have. */
function takenBy(all: readonly ManifestObject[], name: string | undefined): Taken {
  const specs = all
    .filter(({ metadata }) => metadata.name !== name)
    .map((one) => one['spec'] as Drawn);
  const ports = specs.flatMap(({ ports: own = [], healthCheckNodePort }) => [
    ...(own as Drawn[]).map(({ nodePort }) => nodePort),
    healthCheckNodePort,
  ]);
  const isReal = (value: unknown) => value !== undefined && value !== 'None' && value !== '';
  return {
    clusterIPs: new Set(specs.map(({ clusterIP }) => clusterIP).filter(isReal)),
    nodePorts: new Set(ports.filter(isReal)),
  };
}

const SERVICE: KindModel = {
  plural: 'services',
  apiVersion: 'v1',
  kind: 'Service',
  content: serviceSpecs.map((spec) => ({ spec })),
  isTaken: (content, before, all) => {
    const [spec, known] = [content['spec'] as Drawn, before?.['spec'] as Drawn | undefined];
    if (hasForeignFamilies(spec, known)) return undefined;
    return isServiceTaken(spec, known, takenBy(all, before?.metadata.name));
  },
};

const KINDS: readonly KindModel[] = [
  SERVICE,
  {
    plural: 'endpoints',
    apiVersion: 'v1',
    kind: 'Endpoints',
    content: endpoints,
    isTaken: areEndpointsTaken,
  },
  {
    plural: 'endpointslices',
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    content: slices,
    isTaken: (content, before) => isSliceTaken(content, before),
  },
  {
    plural: 'ingresses',
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    content: ingressSpecs.map((spec) => ({ spec })),
    isTaken: ({ spec }) => isIngressTaken(spec as Drawn),
  },
];

const steps = (model: KindModel) =>
  fc.array(
    fc.record({
      do: fc.constantFrom('create', 'put', 'put', 'put', 'patch', 'delete'),
      name: fc.constantFrom(...NAMES),
      content: model.content,
    }),
    { minLength: 1, maxLength: 10, size: 'max' },
  );
type Step = { readonly do: string; readonly name: string; readonly content: Drawn };

const textOf = ({ apiVersion, kind }: KindModel, { name, content }: Step) =>
  JSON.stringify({ apiVersion, kind, metadata: { name }, ...content });

/** What a merge patch makes of the object. */
function merged(before: ManifestObject, content: Drawn): Drawn {
  return mergedInto(pick(before, content), content) as Drawn;
}

/** The content of an object, without what every object has. */
function pick(object: ManifestObject, content: Drawn): Drawn {
  const { apiVersion: _, kind: _kind, metadata: _meta, status: _status, ...own } = object;
  return 'spec' in content ? { spec: own['spec'] } : own;
}

function send(model: KindModel, step: Step): Promise<Reply> {
  const path = `${model.plural}/${step.name}`;
  if (step.do === 'create') return api.call('POST', '/v1/apply?mode=create', textOf(model, step));
  if (step.do === 'put') return api.object('PUT', path, textOf(model, step));
  if (step.do === 'delete') return api.object('DELETE', path);
  return api.object('PATCH', path, JSON.stringify(step.content), 'application/merge-patch+json');
}

/** What the model says of a step. */
function expectedStatus(
  model: KindModel,
  step: Step,
  {
    before,
    all,
  }: { readonly before: ManifestObject | undefined; readonly all: readonly ManifestObject[] },
): readonly number[] {
  const isMissing = before === undefined;
  if (step.do === 'delete') return [isMissing ? 404 : 200];
  if (step.do === 'patch' && isMissing) return [404];
  if (step.do === 'create' && !isMissing) return [409, 422];
  const content = step.do === 'patch' && before ? merged(before, step.content) : step.content;
  const isTaken = model.isTaken(content, before, all);
  if (isTaken === undefined) return [200, 409, 422];
  return isTaken ? [200] : [409, 422];
}

/** The objects that somebody declared. */
async function declared(model: KindModel): Promise<ManifestObject[]> {
  const all = await api.list(model.plural);
  return all.filter(({ metadata }) => metadata.uid !== undefined && metadata.name !== 'rollcall');
}

test.each(KINDS.map((model) => [model.kind, model] as const))(
  '%s: what the rules take is taken and can be put back, and nothing else is stored',
  async (_, model) => {
    const counts = { taken: 0, refused: 0 };
    await fc.assert(
      fc.asyncProperty(steps(model), async (list) => {
        for (const name of NAMES) await api.object('DELETE', `${model.plural}/${name}`);
        for (const step of list) {
          const all = await declared(model);
          const before = all.find(({ metadata }) => metadata.name === step.name);
          const expected = expectedStatus(model, step, { before, all });
          const { status, body } = await send(model, step);
          expect(expected, JSON.stringify({ step, before, body })).toContain(status);
          counts[status === 200 ? 'taken' : 'refused']++;
          const after = await declared(model);
          if (status !== 200) expect(after).toEqual(all);
        }
        for (const object of await declared(model)) {
          const path = `${model.plural}/${object.metadata.name}`;
          const reply = await api.object('PUT', path, JSON.stringify(object));
          expect(reply, JSON.stringify(object)).toEqual({ status: 200, body: object });
        }
        for (const name of NAMES) await api.object('DELETE', `${model.plural}/${name}`);
        if (model === SERVICE) await expectAllFree();
      }),
      { numRuns: RUNS },
    );
    // A test of rules that takes nothing, or everything, tests nothing.
    expect(counts.taken).toBeGreaterThan(RUNS);
    expect(counts.refused).toBeGreaterThan(RUNS / 4);
  },
  300_000,
);

/** Every number that the contents name can be had again: none was left behind. */
async function expectAllFree(): Promise<void> {
  const numbers = [30_500, 30_501, 30_502, 30_700, 30_701];
  const ports = numbers.map((nodePort, i) => ({ name: `p${i}`, port: i + 1, nodePort }));
  const text = (name: string, clusterIP: string, own: object[]) =>
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name },
      spec: { type: 'NodePort', clusterIP, ports: own },
    });
  const all = `${text('one', '127.96.9.1', ports)}\n---\n${text('two', '127.96.9.2', [{ port: 1 }])}`;
  const { status, body } = await api.call('POST', '/v1/apply?mode=create', all);
  expect(status, JSON.stringify(body)).toBe(200);
  for (const name of ['one', 'two']) await api.object('DELETE', `services/${name}`);
}
