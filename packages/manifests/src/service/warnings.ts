import { cidrWarnings, ipWarnings } from '../addresses/ip-warnings.ts';
import { isHeadlessSpec } from './families.ts';
import {
  type Service,
  type ServiceSpec,
  TOPOLOGY_HINTS_ANNOTATION,
  TOPOLOGY_MODE_ANNOTATION,
} from './service.ts';

/** What the Kubernetes API server says of a valid service that may not be what its author means. */
export function serviceWarnings({ metadata, spec = {} }: Service): string[] {
  const { trafficDistribution } = spec;
  const warnings: string[] = [];
  if (Object.hasOwn(metadata.annotations ?? {}, TOPOLOGY_HINTS_ANNOTATION))
    warnings.push(
      `annotation ${TOPOLOGY_HINTS_ANNOTATION} is deprecated, please use ${TOPOLOGY_MODE_ANNOTATION} instead`,
    );
  warnings.push(...addressWarnings(spec), ...ignoredFields(spec));
  if (trafficDistribution === 'PreferClose')
    warnings.push('spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"');
  return warnings;
}

function addressWarnings(spec: ServiceSpec): string[] {
  const { clusterIPs = [], externalIPs = [], loadBalancerIP = '' } = spec;
  const { loadBalancerSourceRanges = [] } = spec;
  const ofIps = (field: string, addresses: readonly string[]) =>
    addresses.flatMap((address, i) => ipWarnings(`spec.${field}[${i}]`, address));
  return [
    ...(isHeadlessSpec(spec) ? [] : ofIps('clusterIPs', clusterIPs)),
    ...ofIps('externalIPs', externalIPs),
    ...ipWarnings('spec.loadBalancerIP', loadBalancerIP),
    ...loadBalancerSourceRanges.flatMap((range, i) =>
      cidrWarnings(`spec.loadBalancerSourceRanges[${i}]`, range.trim()),
    ),
  ];
}

/** Fields without a meaning for this type of service. */
function ignoredFields(spec: ServiceSpec): string[] {
  const { type, externalIPs = [], externalName = '', loadBalancerIP = '', sessionAffinity } = spec;
  const warnings: string[] = [];
  if (isHeadlessSpec(spec)) {
    const ignored = (field: string) => `spec.${field} is ignored for headless services`;
    if (loadBalancerIP !== '') warnings.push(ignored('loadBalancerIP'));
    if (externalIPs.length > 0) warnings.push(ignored('externalIPs'));
    if (sessionAffinity !== 'None') warnings.push(ignored('SessionAffinity'));
  }
  if (type === 'ExternalName') {
    if (externalIPs.length > 0)
      warnings.push('spec.externalIPs is ignored when spec.type is "ExternalName"');
  } else if (externalName !== '')
    warnings.push('spec.externalName is ignored when spec.type is not "ExternalName"');
  return warnings;
}
