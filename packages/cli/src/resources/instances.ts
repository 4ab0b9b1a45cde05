import type { Instance, ManifestObject } from '@rollcall/client-sdk';
import { RollcallError } from '@rollcall/client-sdk/registration';
import type { Context } from '../session/context.ts';
import { AGE, NAME } from './manifest-resource.ts';
import { joined, NONE, partOf, type Resource } from './resource.ts';

/** The state of an instance, with kubectl's word for pods where there is one. */
const STATES: Readonly<Record<Instance['state'], string>> = {
  up: 'Running',
  starting: 'Starting',
  down: 'Down',
  draining: 'Terminating',
  suspect: 'Suspect',
  unreachable: 'Unreachable',
  unconfirmed: 'Unconfirmed',
};

type Shown = Pick<
  Instance,
  'service' | 'address' | 'ports' | 'zone' | 'weight' | 'ttlMs' | 'persistent'
>;
type Status = Pick<
  Instance,
  'state' | 'ready' | 'serving' | 'terminating' | 'tier' | 'override' | 'doubt'
>;

/** An instance in the form of the other objects, so that `-o` works the same way. */
function objectOf(instance: Instance): ManifestObject {
  const { namespace, service, id, labels, revision, registeredAtMs } = instance;
  const { address, ports, zone, weight, ttlMs, persistent } = instance;
  const { state, ready, serving, terminating, tier, override, doubt } = instance;
  return {
    apiVersion: 'rollcall.dev/v1',
    kind: 'Instance',
    metadata: {
      name: id,
      namespace,
      labels,
      resourceVersion: revision,
      creationTimestamp: new Date(registeredAtMs).toISOString(),
    },
    spec: { service, address, ports, zone, weight, ttlMs, persistent },
    status: {
      state,
      ready,
      serving,
      terminating,
      tier,
      override,
      doubt,
      // The fields where pods have this information.
      phase: state === 'starting' ? 'Pending' : 'Running',
      podIP: address,
      podIPs: [{ ip: address }],
      conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }],
    },
  };
}

export const instanceSpec = (object: ManifestObject) =>
  partOf(object, 'spec') as Shown | undefined as Shown;
export const instanceStatus = (object: ManifestObject) =>
  partOf(object, 'status') as Status | undefined as Status;
export const stateText = (object: ManifestObject) => STATES[instanceStatus(object).state];

function portsText(object: ManifestObject): string {
  return joined(
    Object.entries(instanceSpec(object).ports).map(
      ([name, { port, protocol }]) => `${name}=${port}/${protocol}`,
    ),
  );
}

async function list(
  { rollcall }: Context,
  namespace: string,
  selector: string | undefined,
): Promise<ManifestObject[]> {
  const request = { params: { ns: namespace }, query: { selector } };
  return (await rollcall.call('listInstances', request)).instances.map(objectOf);
}

/** By its id, or by `SERVICE/ID` when several services have an instance with that id. */
async function get(context: Context, namespace: string, name: string): Promise<ManifestObject> {
  const [id = '', service] = name.split('/').toReversed();
  const found = (await list(context, namespace, undefined)).filter(
    (object) =>
      object.metadata.name === id &&
      (service === undefined || instanceSpec(object).service === service),
  );
  const [only] = found;
  if (only !== undefined && found.length === 1) return only;
  if (only === undefined) {
    throw new RollcallError('instance_not_found', `instances "${name}" not found`);
  }
  const names = found.map((object) => `${instanceSpec(object).service}/${id}`).join(', ');
  throw new RollcallError(
    'invalid_request',
    `instances "${name}": several services have it, expected one of ${names}`,
  );
}

export const instances: Resource = {
  kind: 'Instance',
  apiVersion: 'rollcall.dev/v1',
  names: ['instances', 'instance', 'in', 'pods', 'pod', 'po'],
  prefix: 'instance',
  columns: [
    NAME,
    { title: 'READY', cell: (object) => (instanceStatus(object).ready ? '1/1' : '0/1') },
    { title: 'STATUS', cell: stateText },
    AGE,
    { title: 'IP', isWide: true, cell: (object) => instanceSpec(object).address },
    { title: 'PORTS', isWide: true, cell: portsText },
    { title: 'SERVICE', isWide: true, cell: (object) => instanceSpec(object).service },
    { title: 'ZONE', isWide: true, cell: (object) => instanceSpec(object).zone || NONE },
  ],
  list,
  get,
};
