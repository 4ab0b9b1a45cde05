import { z } from 'zod';
import { absent, ObjectMeta } from '../meta/object-meta.ts';

/** What an endpoint stands for. */
const TargetRef = z.strictObject({
  apiVersion: absent(z.string()),
  kind: absent(z.string()),
  namespace: absent(z.string()),
  name: absent(z.string()),
  uid: absent(z.string()),
  resourceVersion: absent(z.string()),
  fieldPath: absent(z.string()),
});

const EndpointAddress = z.strictObject({
  ip: absent(z.string()),
  hostname: absent(z.string()),
  nodeName: absent(z.string()),
  targetRef: absent(TargetRef),
});

const EndpointPort = z.strictObject({
  name: absent(z.string()),
  port: absent(z.int()),
  protocol: absent(z.string()),
  appProtocol: absent(z.string()),
});
export type EndpointPort = z.output<typeof EndpointPort>;

/** `apiVersion: v1, kind: Endpoints`: hand-written addresses of a service without a selector. */
export const Endpoints = z.strictObject({
  apiVersion: z.literal('v1'),
  kind: z.literal('Endpoints'),
  metadata: ObjectMeta,
  subsets: absent(
    z.array(
      z.strictObject({
        addresses: absent(z.array(EndpointAddress)),
        notReadyAddresses: absent(z.array(EndpointAddress)),
        ports: absent(z.array(EndpointPort)),
      }),
    ),
  ),
});
export type Endpoints = z.output<typeof Endpoints>;

const Named = z.array(z.strictObject({ name: absent(z.string()) }));

/** `apiVersion: discovery.k8s.io/v1, kind: EndpointSlice`. */
export const EndpointSlice = z.strictObject({
  apiVersion: z.literal('discovery.k8s.io/v1'),
  kind: z.literal('EndpointSlice'),
  metadata: ObjectMeta,
  addressType: absent(z.string()),
  endpoints: absent(
    z.array(
      z.strictObject({
        addresses: absent(z.array(z.string())),
        conditions: absent(
          z.strictObject({
            ready: absent(z.boolean()),
            serving: absent(z.boolean()),
            terminating: absent(z.boolean()),
          }),
        ),
        hostname: absent(z.string()),
        nodeName: absent(z.string()),
        zone: absent(z.string()),
        targetRef: absent(TargetRef),
        hints: absent(z.strictObject({ forZones: absent(Named), forNodes: absent(Named) })),
        deprecatedTopology: absent(z.record(z.string(), z.string())),
      }),
    ),
  ),
  ports: absent(z.array(EndpointPort)),
});
export type EndpointSlice = z.output<typeof EndpointSlice>;

/** The label that ties a slice to its service. */
export const SERVICE_NAME_LABEL = 'kubernetes.io/service-name';

/** With the protocols that the API server fills in. */
export function defaultEndpoints(endpoints: Endpoints): Endpoints {
  const { subsets } = endpoints;
  if (subsets === undefined) return endpoints;
  return {
    ...endpoints,
    subsets: subsets.map((subset) => {
      // Go clients send an empty text for an absent value here, and nothing in a slice.
      const ports = subset.ports?.map((port) => ({ ...port, protocol: port.protocol || 'TCP' }));
      return ports === undefined ? subset : { ...subset, ports };
    }),
  };
}

/** With the names and protocols that the API server fills in. */
export function defaultSlice(slice: EndpointSlice): EndpointSlice {
  const ports = slice.ports?.map((port) => {
    const { name = '', protocol = 'TCP' } = port;
    return { ...port, name, protocol };
  });
  return ports === undefined ? slice : { ...slice, ports };
}

/** Without the topology of an older version of the API, for which there are fields of their own now. */
export function withoutTopology(slice: EndpointSlice): EndpointSlice {
  const { endpoints } = slice;
  if (endpoints === undefined) return slice;
  return {
    ...slice,
    endpoints: endpoints.map((one) => {
      const { deprecatedTopology: _, ...endpoint } = one;
      return endpoint;
    }),
  };
}
