import { Protocol } from '@rollcall/contract';
import {
  duplicate,
  type FieldError,
  forbidden,
  invalid,
  invalidEach,
  notSupported,
  required,
} from '../meta/field-error.ts';
import { validateMeta } from '../meta/meta-validation.ts';
import type { ObjectMeta } from '../meta/object-meta.ts';
import { checkCidr, checkIp, checkNonSpecialIp } from '../addresses/ip.ts';
import {
  checkLabel1035,
  checkLabel1123,
  checkLabelValue,
  checkPortName,
  checkPortNumber,
  checkQualifiedName,
  checkSubdomain1123,
} from '../meta/names.ts';
import { isHeadlessSpec, validateFamilies } from './families.ts';
import {
  isReachedFromOutside,
  NODE_PORTS,
  type Service,
  type ServicePort,
  type ServiceSpec,
  takesHealthCheckPort,
  TOPOLOGY_HINTS_ANNOTATION,
  TOPOLOGY_MODE_ANNOTATION,
} from './service.ts';

const TYPES = ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort'];
const PROTOCOLS: readonly string[] = Protocol.options;
const MAX_AFFINITY_SECONDS = 86_400;

/** Every fault of a service with its defaults, in the words of the Kubernetes API server. */
export function validateService(service: Service): FieldError[] {
  const spec = service.spec ?? {};
  return [
    ...validateMeta(service.metadata, checkLabel1035),
    ...validateTopologyMode(service.metadata),
    ...validateSelector(spec),
    ...validateType(spec),
    ...validatePorts(spec),
    ...validateFamilies(spec),
    ...validateExternalIps(spec),
    ...validateAffinity(spec),
    ...validateTraffic(spec),
    ...validateLoadBalancer(service.metadata, spec),
    ...validateHealthCheckPort(spec),
  ];
}

/** An older name and the present one of the same setting. */
function validateTopologyMode({ annotations = {} }: ObjectMeta): FieldError[] {
  const { [TOPOLOGY_MODE_ANNOTATION]: mode, [TOPOLOGY_HINTS_ANNOTATION]: hints } = annotations;
  if (mode === undefined || hints === undefined || mode === hints) return [];
  const detail = `must match annotations[${TOPOLOGY_HINTS_ANNOTATION}] when both are specified`;
  return [invalid(`metadata.annotations[${TOPOLOGY_MODE_ANNOTATION}]`, mode, detail)];
}

function validateSelector({ selector = {} }: ServiceSpec): FieldError[] {
  return Object.entries(selector).flatMap(([key, value]) => [
    ...checkQualifiedName(key).map((fault) => invalid('spec.selector', key, fault)),
    ...checkLabelValue(value).map((fault) => invalid('spec.selector', value, fault)),
  ]);
}

function validateType(spec: ServiceSpec): FieldError[] {
  const { type = '', clusterIP = '', clusterIPs = [], externalName = '', ports = [] } = spec;
  const { ipFamilies = [], ipFamilyPolicy } = spec;
  if (!TYPES.includes(type)) return [notSupported('spec.type', type, TYPES)];
  const isHeadless = isHeadlessSpec(spec);
  const faults: FieldError[] = [];
  if (type === 'ExternalName') {
    const refuse = (field: string) =>
      faults.push(forbidden(`spec.${field}`, 'may not be set for ExternalName services'));
    if (clusterIP !== '' || clusterIPs.length > 0) refuse('clusterIPs');
    if (ipFamilies.length > 0) refuse('ipFamilies');
    if (ipFamilyPolicy !== undefined) refuse('ipFamilyPolicy');
    if (externalName === '') faults.push(required('spec.externalName'));
    else {
      const name = externalName.replace(/\.$/, '');
      faults.push(
        ...checkSubdomain1123(name).map((fault) =>
          invalid('spec.externalName', externalName, fault),
        ),
      );
    }
    return faults;
  }
  if (ports.length === 0 && !isHeadless) faults.push(required('spec.ports'));
  if (type !== 'ClusterIP' && isHeadless) {
    const detail = `may not be set to 'None' for ${type} services`;
    faults.push(invalid('spec.clusterIPs[0]', 'None', detail));
  }
  return faults;
}

function validatePorts({ ports = [], type = '' }: ServiceSpec): FieldError[] {
  const names = new Set<string>();
  const numbers = new Set<string>();
  const nodePorts = new Set<string>();
  const faults: FieldError[] = [];
  for (const [i, port] of ports.entries()) {
    const at = `spec.ports[${i}]`;
    faults.push(...validatePort(port, at, ports.length > 1));
    if (port.name !== undefined && port.name !== '') {
      if (names.has(port.name)) faults.push(duplicate(`${at}.name`, port.name));
      names.add(port.name);
    }
    const number = `${port.protocol} ${port.port}`;
    if (numbers.has(number)) {
      faults.push(duplicate(at, { protocol: port.protocol, port: port.port }));
    }
    numbers.add(number);
    faults.push(...validateNodePort(port, at, type));
    if (port.nodePort === undefined) continue;
    const nodePort = `${port.protocol} ${port.nodePort}`;
    if (nodePorts.has(nodePort)) {
      faults.push(duplicate(`${at}.nodePort`, port.nodePort));
    }
    nodePorts.add(nodePort);
  }
  return faults;
}

function validatePort(port: ServicePort, at: string, needsName: boolean): FieldError[] {
  const { name = '', protocol = '', targetPort, appProtocol } = port;
  const faults: FieldError[] = [];
  if (name === '' && needsName) faults.push(required(`${at}.name`));
  if (name !== '') {
    faults.push(...checkLabel1123(name).map((fault) => invalid(`${at}.name`, name, fault)));
  }
  faults.push(
    ...checkPortNumber(port.port ?? 0).map((fault) => invalid(`${at}.port`, port.port ?? 0, fault)),
  );
  if (!PROTOCOLS.includes(protocol))
    faults.push(notSupported(`${at}.protocol`, protocol, PROTOCOLS));
  if (typeof targetPort === 'string') {
    faults.push(
      ...checkPortName(targetPort).map((fault) => invalid(`${at}.targetPort`, targetPort, fault)),
    );
  } else if (targetPort !== undefined) {
    faults.push(
      ...checkPortNumber(targetPort).map((fault) => invalid(`${at}.targetPort`, targetPort, fault)),
    );
  }
  if (appProtocol !== undefined) {
    faults.push(
      ...checkQualifiedName(appProtocol).map((fault) =>
        invalid(`${at}.appProtocol`, appProtocol, fault),
      ),
    );
  }
  return faults;
}

function validateNodePort({ nodePort }: ServicePort, at: string, type: string): FieldError[] {
  if (nodePort === undefined) return [];
  const field = `${at}.nodePort`;
  if (type === 'ClusterIP' || type === 'ExternalName') {
    return [forbidden(field, `may not be used when \`type\` is '${type}'`)];
  }
  if (nodePort >= NODE_PORTS.first && nodePort <= NODE_PORTS.last) return [];
  const range = `${NODE_PORTS.first}-${NODE_PORTS.last}`;
  const detail = `provided port is not in the valid range. The range of valid ports is ${range}`;
  return [invalid(field, nodePort, detail)];
}

function validateExternalIps({ externalIPs = [] }: ServiceSpec): FieldError[] {
  return externalIPs.flatMap((address, i) =>
    checkNonSpecialIp(address).map((fault) => invalid(`spec.externalIPs[${i}]`, address, fault)),
  );
}

function validateAffinity(spec: ServiceSpec): FieldError[] {
  const { sessionAffinity = 'None', sessionAffinityConfig } = spec;
  if (sessionAffinity !== 'None' && sessionAffinity !== 'ClientIP') {
    return [notSupported('spec.sessionAffinity', sessionAffinity, ['ClientIP', 'None'])];
  }
  const field = 'spec.sessionAffinityConfig';
  if (sessionAffinity === 'None') {
    if (sessionAffinityConfig === undefined) return [];
    const detail = 'must not be set when session affinity is None';
    return [forbidden(field, detail)];
  }
  const seconds = sessionAffinityConfig?.clientIP?.timeoutSeconds ?? 0;
  if (seconds > 0 && seconds <= MAX_AFFINITY_SECONDS) return [];
  const detail = `must be greater than 0 and less than ${MAX_AFFINITY_SECONDS}`;
  return [invalid(`${field}.clientIP.timeoutSeconds`, seconds, detail)];
}

function validateTraffic(spec: ServiceSpec): FieldError[] {
  const { externalTrafficPolicy, internalTrafficPolicy } = spec;
  const faults: FieldError[] = [];
  const POLICIES = ['Cluster', 'Local'];
  if (externalTrafficPolicy !== undefined && externalTrafficPolicy !== '') {
    if (!isReachedFromOutside(spec)) {
      const detail = 'may only be set for externally-accessible services';
      faults.push(invalid('spec.externalTrafficPolicy', externalTrafficPolicy, detail));
    } else if (!POLICIES.includes(externalTrafficPolicy)) {
      faults.push(notSupported('spec.externalTrafficPolicy', externalTrafficPolicy, POLICIES));
    }
  }
  if (internalTrafficPolicy !== undefined && !POLICIES.includes(internalTrafficPolicy)) {
    faults.push(notSupported('spec.internalTrafficPolicy', internalTrafficPolicy, POLICIES));
  }
  const { trafficDistribution } = spec;
  const KNOWN = ['PreferClose', 'PreferSameNode', 'PreferSameZone'];
  if (trafficDistribution !== undefined && !KNOWN.includes(trafficDistribution)) {
    faults.push(notSupported('spec.trafficDistribution', trafficDistribution, KNOWN));
  }
  return faults;
}

const RANGES_ANNOTATION = 'service.beta.kubernetes.io/load-balancer-source-ranges';
const ONLY_BALANCED = "may only be used when `type` is 'LoadBalancer'";

function validateLoadBalancer(metadata: ObjectMeta, spec: ServiceSpec): FieldError[] {
  const { type, loadBalancerClass, allocateLoadBalancerNodePorts, loadBalancerIP = '' } = spec;
  const faults = sourceRangeFaults(metadata, spec);
  if (type !== 'LoadBalancer') {
    if (allocateLoadBalancerNodePorts !== undefined)
      faults.push(forbidden('spec.allocateLoadBalancerNodePorts', ONLY_BALANCED));
    if (loadBalancerClass !== undefined)
      faults.push(forbidden('spec.loadBalancerClass', ONLY_BALANCED));
    return faults;
  }
  if (loadBalancerClass !== undefined) {
    faults.push(
      ...checkQualifiedName(loadBalancerClass).map((fault) =>
        invalid('spec.loadBalancerClass', loadBalancerClass, fault),
      ),
    );
  }
  if (loadBalancerIP !== '') {
    faults.push(
      ...checkIp(loadBalancerIP).map((fault) =>
        invalid('spec.loadBalancerIP', loadBalancerIP, fault),
      ),
    );
  }
  return faults;
}

/** In the field, or as older manifests have them in an annotation. */
function sourceRangeFaults({ annotations }: ObjectMeta, spec: ServiceSpec): FieldError[] {
  const { type, loadBalancerSourceRanges = [] } = spec;
  const annotated = annotations?.[RANGES_ANNOTATION];
  const isField = loadBalancerSourceRanges.length > 0;
  if (!isField && annotated === undefined) return [];
  const at = isField
    ? 'spec.loadBalancerSourceRanges'
    : `metadata.annotations[${RANGES_ANNOTATION}]`;
  const text = annotated?.trim() ?? '';
  const ofAnnotation = text === '' ? [] : text.split(',');
  const ranges = (isField ? loadBalancerSourceRanges : ofAnnotation).map((range) => range.trim());
  return [
    ...(type === 'LoadBalancer' ? [] : [forbidden(at, ONLY_BALANCED)]),
    ...ranges.flatMap((range, i) => invalidEach(isField ? `${at}[${i}]` : at, range, checkCidr)),
  ];
}

/** If it is absent, the registry allocates one. */
function validateHealthCheckPort(spec: ServiceSpec): FieldError[] {
  const { healthCheckNodePort: port = 0 } = spec;
  if (port === 0) return [];
  const at = 'spec.healthCheckNodePort';
  if (takesHealthCheckPort(spec))
    return checkPortNumber(port).map((fault) => invalid(at, port, fault));
  const detail =
    "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'";
  return [invalid(at, port, detail)];
}
