import { type Ingress, type Manifest, type Service, usualWarnings } from '@rollcall/manifests';
import { hasSelector } from '../../../picture/declared/profile.ts';

interface WarningContext {
  /** It replaces no other object. */
  readonly isNew: boolean;
  /** Whether the registry has a key to encrypt them with. */
  readonly keepsSecrets: boolean;
}

/** What is accepted but has no effect, or a different one than expected; one sentence each. */
export function warningsOf(manifest: Manifest, { isNew, keepsSecrets }: WarningContext): string[] {
  return [...usualWarnings(manifest, isNew), ...ownWarnings(manifest, keepsSecrets)];
}

/** Those that no Kubernetes API server gives. */
function ownWarnings(manifest: Manifest, keepsSecrets: boolean): string[] {
  if (manifest.kind === 'Deployment') {
    return [
      'a Deployment starts nothing here: it counts the instances that register with its labels against the desired number',
    ];
  }
  if (manifest.kind === 'Ingress') {
    const ofSecrets = keepsSecrets ? [] : secretWarnings(manifest);
    return [...backendWarnings(manifest), ...ofSecrets];
  }
  return manifest.kind === 'Service' ? serviceWarnings(manifest) : [];
}

function backendWarnings({ spec = {} }: Ingress): string[] {
  const { defaultBackend, rules = [] } = spec;
  const paths = rules.flatMap(({ http }, i) =>
    (http?.paths ?? []).map(({ backend }, n) => ({
      field: `spec.rules[${i}].http.paths[${n}].backend`,
      backend,
    })),
  );
  return [{ field: 'spec.defaultBackend', backend: defaultBackend }, ...paths].flatMap(
    ({ field, backend }) => {
      if (backend?.resource === undefined) return [];
      return [`${field}.resource is stored; balancers route only to services`];
    },
  );
}

function secretWarnings({ spec = {} }: Ingress): string[] {
  return (spec.tls ?? []).flatMap(({ secretName }, i) => {
    if (secretName === undefined) return [];
    const field = `spec.tls[${i}].secretName`;
    return [
      `${field}: this registry keeps no Secrets; the balancer's listener has the certificates`,
    ];
  });
}

function serviceWarnings(service: Service): string[] {
  const { spec = {} } = service;
  const warnings: string[] = [];
  if ((spec.ports ?? []).some(({ protocol }) => protocol === 'SCTP')) {
    warnings.push('SCTP ports are stored and resolved; the userspace proxy does not carry them');
  }
  const stored = [
    ['spec.trafficDistribution', spec.trafficDistribution],
    ['spec.internalTrafficPolicy', spec.internalTrafficPolicy === 'Local' ? 'Local' : undefined],
    ['spec.externalTrafficPolicy', spec.externalTrafficPolicy === 'Local' ? 'Local' : undefined],
  ] as const;
  for (const [field, value] of stored) {
    if (value !== undefined)
      warnings.push(`${field}: ${value} is stored; nothing routes by it yet`);
  }
  // RequireDualStack is accepted only where addresses are written by hand, and means what it says there.
  if (spec.ipFamilyPolicy === 'PreferDualStack')
    warnings.push('spec.ipFamilyPolicy: PreferDualStack is stored; cluster IPs are only IPv4');
  if (!hasSelector(service) && spec.type === 'LoadBalancer') {
    warnings.push('the service has no selector: its endpoints are those written by hand');
  }
  return warnings;
}
