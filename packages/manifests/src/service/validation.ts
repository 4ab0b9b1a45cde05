import { isIPv4 } from 'node:net';
import { Protocol } from '@rollcall/contract';
import {
  duplicate,
  type FieldError,
  forbidden,
  invalid,
  notSupported,
  required,
} from '../meta/field-error.ts';
import { validateMeta } from '../meta/meta-validation.ts';
import {
  checkIp,
  checkLabel1035,
  checkLabel1123,
  checkLabelValue,
  checkNonSpecialIp,
  checkPortName,
  checkPortNumber,
  checkQualifiedName,
  checkSubdomain1123,
} from '../meta/names.ts';
import { NODE_PORTS, type Service, type ServicePort, type ServiceSpec } from './service.ts';

const TYPES = ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort'];
const PROTOCOLS: readonly string[] = Protocol.options;
const MAX_AFFINITY_SECONDS = 86_400;

/** Every fault of a service with its defaults, in the words of the Kubernetes API server. */
export function validateService(service: Service): FieldError[] {
  const spec = service.spec ?? {};
  return [
    ...validateMeta(service.metadata, checkLabel1035),
    ...validateSelector(spec),
    ...validateType(spec),
    ...validatePorts(spec),
    ...validateAddresses(spec),
    ...validateAffinity(spec),
    ...validateTraffic(spec),
    ...validateLoadBalancer(spec),
  ];
}

function validateSelector({ selector = {} }: ServiceSpec): FieldError[] {
  return Object.entries(selector).flatMap(([key, value]) => [
    ...checkQualifiedName(key).map((fault) => invalid('spec.selector', key, fault)),
    ...checkLabelValue(value).map((fault) => invalid('spec.selector', value, fault)),
  ]);
}

function validateType(spec: ServiceSpec): FieldError[] {
  const { type = '', clusterIP = '', clusterIPs = [], externalName = '', ports = [] } = spec;
  if (!TYPES.includes(type)) return [notSupported('spec.type', type, TYPES)];
  const isHeadless = clusterIP === 'None' || clusterIPs[0] === 'None';
  const faults: FieldError[] = [];
  if (type === 'ExternalName') {
    const hasAddress = clusterIP !== '' || clusterIPs.length > 0;
    if (hasAddress) {
      faults.push(forbidden('spec.clusterIPs', 'may not be set for ExternalName services'));
    }
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

function validateAddresses(spec: ServiceSpec): FieldError[] {
  const { clusterIP = '', clusterIPs = [], externalIPs = [], type } = spec;
  const faults: FieldError[] = [];
  if (type !== 'ExternalName') {
    const [primary] = clusterIPs;
    if (clusterIP !== '' && primary !== undefined && primary !== clusterIP) {
      faults.push(invalid('spec.clusterIPs', clusterIPs, 'first value must match `clusterIP`'));
    }
    const address = primary ?? clusterIP;
    if (address !== '' && address !== 'None') {
      faults.push(
        ...checkIp(address).map((fault) => invalid('spec.clusterIPs[0]', address, fault)),
      );
    }
  }
  for (const [i, address] of externalIPs.entries()) {
    const field = `spec.externalIPs[${i}]`;
    faults.push(...checkNonSpecialIp(address).map((fault) => invalid(field, address, fault)));
  }
  return faults;
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
  const { type, externalTrafficPolicy, internalTrafficPolicy, externalIPs = [] } = spec;
  const faults: FieldError[] = [];
  const POLICIES = ['Cluster', 'Local'];
  if (externalTrafficPolicy !== undefined && externalTrafficPolicy !== '') {
    const isExternal = type === 'NodePort' || type === 'LoadBalancer' || externalIPs.length > 0;
    if (!isExternal) {
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

function validateLoadBalancer(spec: ServiceSpec): FieldError[] {
  const { type, loadBalancerSourceRanges = [], loadBalancerClass, loadBalancerIP } = spec;
  const faults: FieldError[] = [];
  if (type !== 'LoadBalancer') {
    const fault = (field: string) =>
      forbidden(field, "may only be used when `type` is 'LoadBalancer'");
    if (loadBalancerSourceRanges.length > 0) faults.push(fault('spec.loadBalancerSourceRanges'));
    if (loadBalancerClass !== undefined) faults.push(fault('spec.loadBalancerClass'));
    if (spec.allocateLoadBalancerNodePorts !== undefined) {
      faults.push(fault('spec.allocateLoadBalancerNodePorts'));
    }
    return faults;
  }
  for (const [i, range] of loadBalancerSourceRanges.entries()) {
    if (isCidr(range.trim())) continue;
    const detail = 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)';
    faults.push(invalid(`spec.loadBalancerSourceRanges[${i}]`, range, detail));
  }
  if (loadBalancerClass !== undefined) {
    faults.push(
      ...checkQualifiedName(loadBalancerClass).map((fault) =>
        invalid('spec.loadBalancerClass', loadBalancerClass, fault),
      ),
    );
  }
  if (loadBalancerIP !== undefined && loadBalancerIP !== '') {
    faults.push(
      ...checkIp(loadBalancerIP).map((fault) =>
        invalid('spec.loadBalancerIP', loadBalancerIP, fault),
      ),
    );
  }
  return faults;
}

function isCidr(text: string): boolean {
  const [network = '', prefix = '', ...rest] = text.split('/');
  if (rest.length > 0) return false;
  const bits = isIPv4(network) ? 32 : 128;
  return checkIp(network).length === 0 && /^\d+$/.test(prefix) && Number(prefix) <= bits;
}
