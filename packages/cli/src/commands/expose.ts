import type { ManifestObject } from '@rollcall/client-sdk';
import { usageError } from '../base/cli-error.ts';
import {
  type Arguments,
  type Command,
  flagOption,
  listOption,
  textOption,
  wholeNumber,
} from '../session/command.ts';
import type { Context } from '../session/context.ts';
import { oneOf } from '../resources/catalog.ts';
import { instances, instanceSpec } from '../resources/instances.ts';
import type { Resource } from '../resources/resource.ts';
import { services, specOf } from '../resources/services.ts';
import { containersOf, deployments, deploymentSpec } from '../resources/workloads.ts';
import { type Step, stepped } from '../patching/json-patch.ts';
import { mergePatchOf } from '../patching/strategic-patch.ts';
import { type NamedObject, namedInFiles } from '../resources/named-in-files.ts';
import { DRY_RUN, FILES, SAVE_CONFIG } from './apply.ts';
import { createOne, type MadeManifest } from './create.ts';
import { FIELD_MANAGER } from './writing.ts';
import { OUTPUT } from './selecting.ts';

/** The longest name that a service can have: a DNS label. */
const MAX_NAME_LENGTH = 63;

interface Exposed {
  readonly selector: Readonly<Record<string, string>>;
  /** Ports of the service when the user gives none. */
  readonly ports: readonly { readonly port: number; readonly protocol?: string }[];
}

/** The selector and the default ports of a service for this object. */
function exposedBy(resource: Resource, object: ManifestObject): Exposed {
  if (resource === deployments) {
    const ports = containersOf(object).flatMap((container) => container.ports ?? []);
    return {
      selector: deploymentSpec(object).selector?.matchLabels ?? {},
      ports: ports.map(({ containerPort: port, protocol = 'TCP' }) => ({ port, protocol })),
    };
  }
  if (resource === services) {
    const { selector = {}, ports = [] } = specOf(object);
    return {
      selector,
      ports: ports.map(({ port = 0, protocol = 'TCP' }) => ({ port, protocol })),
    };
  }
  if (resource === instances) {
    const { ports, service } = instanceSpec(object);
    const labels = object.metadata.labels ?? {};
    return {
      // The label that every instance has automatically.
      selector: Object.keys(labels).length === 0 ? { app: service } : labels,
      ports: Object.values(ports).map(({ port, containerPort, protocol }) => ({
        port: containerPort ?? port,
        protocol,
      })),
    };
  }
  throw usageError(
    `cannot expose a ${object.kind}: expected a service, an instance or a deployment`,
  );
}

const numberOrName = (text: string) => (/^\d+$/.test(text) ? Number(text) : text);

/** `k=v,k2=v2`. */
function pairsOf(text: string, option: string): Record<string, string> {
  return Object.fromEntries(
    text.split(',').map((pair) => {
      const [key = '', value, ...more] = pair.split('=');
      if (key === '' || value === undefined || more.length > 0) {
        throw usageError(`--${option}: expected KEY=VALUE, got "${pair}"`);
      }
      return [key, value];
    }),
  );
}

/**
 * The ports that `--port` says, else those of the exposed object. Either way a port has the protocols that it has there;
 * several protocols of one port give several ports.
 */
function portsOf(given: Arguments, exposed: Exposed): object[] {
  const port = textOption(given, 'port');
  const targetPort = textOption(given, 'target-port');
  const protocol = textOption(given, 'protocol');
  const own = Map.groupBy(exposed.ports, (one) => one.port);
  const numbers =
    port === undefined
      ? [...own.keys()]
      : port.split(',').map((text) => wholeNumber(text, 'port', 1, 65_535));
  // A headless service may be without ports.
  if (numbers.length === 0 && textOption(given, 'cluster-ip') !== 'None') {
    throw usageError("couldn't find port via --port flag or introspection");
  }
  return numbers.flatMap((number, i) => {
    const known = (own.get(number) ?? []).map((one) => one.protocol ?? 'TCP');
    const protocols = protocol === undefined ? [...new Set(known)] : [protocol];
    const name = `port-${i + 1}`;
    const rest = {
      port: number,
      targetPort: targetPort === undefined ? number : numberOrName(targetPort),
    };
    if (protocols.length > 1) {
      return protocols.map((one) => ({
        name: `${name}-${one.toLowerCase()}`,
        protocol: one,
        ...rest,
      }));
    }
    const [only = 'TCP'] = protocols;
    return [{ ...(numbers.length > 1 ? { name } : {}), protocol: only, ...rest }];
  });
}

/** Options that set one field each. */
function fieldsOf(given: Arguments): object {
  const externalIp = textOption(given, 'external-ip');
  const affinity = textOption(given, 'session-affinity');
  if (affinity !== undefined && !['None', 'ClientIP'].includes(affinity)) {
    throw usageError(`unknown session affinity: ${affinity}`);
  }
  const type = textOption(given, 'type');
  const requested = type === 'LoadBalancer' ? textOption(given, 'load-balancer-ip') : undefined;
  return {
    ...optional('type', type),
    ...optional('clusterIP', textOption(given, 'cluster-ip')),
    ...optional('sessionAffinity', affinity),
    ...optional('externalIPs', externalIp?.split(',')),
    ...optional('loadBalancerIP', requested),
  };
}

function optional(field: string, value: unknown): object {
  return value === undefined ? {} : { [field]: value };
}

/** The object that the words or the file of `-f` name. */
async function exposedObject(context: Context, given: Arguments): Promise<NamedObject> {
  const files = listOption(given, 'filename');
  if (files.length === 0)
    return { ...oneOf(given.words, expose.usage), namespace: context.namespace };
  const [only, ...others] = await namedInFiles(context, files, flagOption(given, 'recursive'));
  if (only === undefined || others.length > 0) {
    throw usageError(`expected one object in the file, got ${others.length + (only ? 1 : 0)}`);
  }
  return only;
}

const OVERRIDE_TYPES = ['json', 'merge', 'strategic'];

/** With the changes of `--overrides`, a patch of the type that `--override-type` says. */
async function overridden(manifest: MadeManifest, given: Arguments): Promise<MadeManifest> {
  const type = textOption(given, 'override-type') ?? 'merge';
  if (!OVERRIDE_TYPES.includes(type)) {
    throw usageError(`--override-type: expected ${OVERRIDE_TYPES.join(', ')}, got "${type}"`);
  }
  const text = textOption(given, 'overrides');
  if (text === undefined) return manifest;
  let patch: unknown;
  try {
    patch = JSON.parse(text);
  } catch (error) {
    throw usageError(`--overrides: expected JSON: ${(error as Error).message}`);
  }
  if (type === 'json' && !Array.isArray(patch)) {
    throw usageError('--overrides: expected a list of steps for --override-type=json');
  }
  const { patched } = await import('@rollcall/manifests');
  const merge = type === 'strategic' ? mergePatchOf({ ...manifest }, patch) : patch;
  const made = (
    type === 'json' ? stepped(manifest, patch as Step[]) : patched(manifest, merge)
  ) as Partial<MadeManifest> | null;
  if (typeof made?.metadata?.name === 'string' && typeof made.kind === 'string') {
    return made as MadeManifest;
  }
  throw usageError('--overrides: expected a JSON object that leaves kind and metadata.name');
}

async function run(context: Context, given: Arguments): Promise<number> {
  const { resource, namespace, name } = await exposedObject(context, given);
  const object = await resource.get(context, namespace, name);
  const exposed = exposedBy(resource, object);
  const own = textOption(given, 'selector');
  const selector = own === undefined ? exposed.selector : pairsOf(own, 'selector');
  if (Object.keys(selector).length === 0) {
    const why = resource === services ? 'the service has no pod selector set' : `${name} has none`;
    throw usageError(`couldn't retrieve selectors via --selector flag or introspection: ${why}`);
  }
  const ownLabels = textOption(given, 'labels');
  const labels =
    ownLabels === undefined ? (object.metadata.labels ?? {}) : pairsOf(ownLabels, 'labels');
  const ports = portsOf(given, exposed);
  const manifest = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      name: textOption(given, 'name') ?? object.metadata.name.slice(0, MAX_NAME_LENGTH),
      ...(Object.keys(labels).length === 0 ? {} : { labels }),
    },
    spec: { ...(ports.length === 0 ? {} : { ports }), selector, ...fieldsOf(given) },
  };
  return createOne(context, given, await overridden(manifest, given), 'exposed');
}

export const expose: Command = {
  name: 'expose',
  summary: 'Declare a service in front of a deployment, an instance or a service',
  usage:
    'expose (TYPE NAME | -f FILE) [--port=PORT] [--target-port=PORT] [--type=TYPE] [--name=NAME]',
  takes: 'objects',
  examples: [
    'expose deployment hello-world --port=8080 --target-port=80',
    'expose instance nginx/a --port=80 --name=front',
    'expose svc nginx --port=443 --target-port=8443 --name=nginx-https',
  ],
  options: {
    port: {
      type: 'string',
      value: 'PORT',
      help: 'Port of the service; default: the ports of the exposed object',
    },
    'target-port': {
      type: 'string',
      value: 'PORT',
      help: 'Number or name of the port of the instances',
    },
    protocol: { type: 'string', value: 'TCP|UDP|SCTP', help: 'Protocol; default: TCP' },
    type: { type: 'string', value: 'TYPE', help: 'ClusterIP (default), NodePort, LoadBalancer' },
    name: {
      type: 'string',
      value: 'NAME',
      help: 'Name of the service; default: the name of the exposed object',
    },
    ...FILES,
    labels: {
      type: 'string',
      short: 'l',
      value: 'K=V,...',
      help: 'Labels of the service; default: those of the exposed object',
    },
    selector: {
      type: 'string',
      value: 'K=V,...',
      help: 'Its selector; default: that of the exposed object',
    },
    overrides: {
      type: 'string',
      value: 'JSON',
      help: 'Fields that replace those of the service, in JSON',
    },
    'override-type': {
      type: 'string',
      value: 'json|merge|strategic',
      help: 'Type of the patch in --overrides; default: merge',
    },
    'cluster-ip': { type: 'string', value: 'ADDRESS', help: 'Its cluster IP, or None' },
    'external-ip': { type: 'string', value: 'ADDRESS', help: 'An external IP' },
    'load-balancer-ip': {
      type: 'string',
      value: 'ADDRESS',
      help: 'Address to request from the load balancer',
    },
    'session-affinity': {
      type: 'string',
      value: 'None|ClientIP',
      help: 'Session affinity; default: None',
    },
    'field-manager': FIELD_MANAGER,
    'save-config': SAVE_CONFIG,
    'dry-run': DRY_RUN,
    output: OUTPUT,
  },
  run,
};
