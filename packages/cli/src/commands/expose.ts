import type { ManifestObject } from '@rollcall/client-sdk';
import { usageError } from '../cli-error.ts';
import { type Arguments, type Command, textOption } from '../command.ts';
import type { Context } from '../context.ts';
import { oneOf } from '../resources/catalog.ts';
import { instances, instanceSpec } from '../resources/instances.ts';
import { partOf, type Resource } from '../resources/resource.ts';
import { services, specOf } from '../resources/services.ts';
import { deployments } from '../resources/workloads.ts';
import { createOne } from './create.ts';

interface Exposed {
  readonly selector: Readonly<Record<string, string>>;
  /** Ports to offer when none is asked for. */
  readonly ports: readonly { readonly port: number; readonly protocol?: string }[];
}

interface DeploymentSpec {
  readonly selector?: { readonly matchLabels?: Record<string, string> };
  readonly template?: {
    readonly spec?: {
      readonly containers?: readonly {
        readonly ports?: readonly { readonly containerPort: number; readonly protocol?: string }[];
      }[];
    };
  };
}

/** What a service in front of something selects, and which ports it would have. */
function exposedBy(resource: Resource, object: ManifestObject): Exposed {
  if (resource === deployments) {
    const { selector, template } = (partOf(object, 'spec') as DeploymentSpec | undefined) ?? {};
    const containers = template?.spec?.containers ?? [];
    const ports = containers.flatMap((container) => container.ports ?? []);
    return {
      selector: selector?.matchLabels ?? {},
      ports: ports.map(({ containerPort, protocol = 'TCP' }) => ({
        port: containerPort,
        protocol,
      })),
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
    const { ports } = instanceSpec(object);
    return {
      selector: object.metadata.labels ?? {},
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

function selectorOf(text: string): Record<string, string> {
  return Object.fromEntries(
    text.split(',').map((pair) => {
      const [key = '', value] = pair.split('=');
      if (value === undefined) throw usageError(`--selector: expected KEY=VALUE, got "${pair}"`);
      return [key, value];
    }),
  );
}

async function run(context: Context, given: Arguments): Promise<number> {
  const { resource, name } = oneOf(given.words, expose.usage);
  const object = await resource.get(context, context.namespace, name);
  const exposed = exposedBy(resource, object);
  const selector = textOption(given, 'selector');
  const wanted = selector === undefined ? exposed.selector : selectorOf(selector);
  if (Object.keys(wanted).length === 0) {
    throw usageError(
      `couldn't retrieve selectors via --selector flag or introspection: ${name} has no labels`,
    );
  }
  const port = textOption(given, 'port');
  const targetPort = textOption(given, 'target-port');
  const offered = port === undefined ? exposed.ports : [{ port: Number(port) }];
  if (offered.length === 0) {
    throw usageError("couldn't find port via --port flag or introspection");
  }
  const serviceName = textOption(given, 'name') ?? object.metadata.name;
  const type = textOption(given, 'type');
  const clusterIp = textOption(given, 'cluster-ip');
  const affinity = textOption(given, 'session-affinity');
  const externalIp = textOption(given, 'external-ip');
  const loadBalancerIp = textOption(given, 'load-balancer-ip');
  const protocol = textOption(given, 'protocol');
  return createOne(
    context,
    given,
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: serviceName, labels: object.metadata.labels ?? {} },
      spec: {
        selector: wanted,
        ports: offered.map((one, i) => ({
          ...(offered.length > 1 ? { name: `port-${i + 1}` } : {}),
          port: one.port,
          protocol: protocol ?? ('protocol' in one ? one.protocol : undefined) ?? 'TCP',
          ...(targetPort === undefined ? {} : { targetPort: numberOrName(targetPort) }),
        })),
        ...(type === undefined ? {} : { type }),
        ...(clusterIp === undefined ? {} : { clusterIP: clusterIp }),
        ...(affinity === undefined ? {} : { sessionAffinity: affinity }),
        ...(externalIp === undefined ? {} : { externalIPs: [externalIp] }),
        ...(loadBalancerIp === undefined ? {} : { loadBalancerIP: loadBalancerIp }),
      },
    },
    'exposed',
  );
}

export const expose: Command = {
  name: 'expose',
  summary: 'Declare a service in front of a deployment, an instance or a service',
  usage: 'expose TYPE NAME [--port=PORT] [--target-port=PORT] [--type=TYPE] [--name=NAME]',
  examples: [
    'expose deployment hello-world --port=8080 --target-port=80',
    'expose instance nginx/a --port=80 --name=front',
    'expose svc nginx --port=443 --target-port=8443 --name=nginx-https',
  ],
  options: {
    port: {
      type: 'string',
      value: 'PORT',
      help: 'Port of the service; those of what is exposed by default',
    },
    'target-port': {
      type: 'string',
      value: 'PORT',
      help: 'Number or name of the port of the instances',
    },
    protocol: { type: 'string', value: 'TCP|UDP|SCTP', help: 'TCP by default' },
    type: { type: 'string', value: 'TYPE', help: 'ClusterIP (default), NodePort, LoadBalancer' },
    name: {
      type: 'string',
      value: 'NAME',
      help: 'Name of the service; that of what is exposed by default',
    },
    selector: { type: 'string', short: 'l', value: 'K=V,...', help: 'Labels to select by' },
    'cluster-ip': { type: 'string', value: 'ADDRESS', help: 'Its cluster IP, or None' },
    'external-ip': { type: 'string', value: 'ADDRESS', help: 'An external IP' },
    'load-balancer-ip': {
      type: 'string',
      value: 'ADDRESS',
      help: 'The address to ask the balancer for',
    },
    'session-affinity': { type: 'string', value: 'None|ClientIP', help: 'None by default' },
    'dry-run': { type: 'string', value: 'server|client|none', help: 'Write nothing' },
  },
  run,
};
