import {
  type FieldError,
  type Manifest,
  validateIngressClassUpdate,
  validateMetaUpdate,
  validateNewIngress,
  validateServiceUpdate,
  settleFamilies,
  sharedNodePortFaults,
  validateSliceUpdate,
  withoutTopology,
} from '@rollcall/manifests';
import type { AddressRules } from './address-rules.ts';
import { NO_SEAL } from './secrets.ts';

interface KindContext {
  readonly rules: AddressRules;
  readonly isValid: boolean;
  /** Whether it has a key to encrypt them with. */
  readonly keepsSecrets: boolean;
}

/** Faults of a manifest that depend on this registry, or on the object that it replaces. */
export function kindFaults(
  manifest: Manifest,
  before: Manifest | undefined,
  { rules, isValid, keepsSecrets }: KindContext,
): FieldError[] {
  if (manifest.kind === 'Secret' && !keepsSecrets)
    return [{ reason: 'FieldValueForbidden', field: '', message: NO_SEAL }];
  return [
    ...(before === undefined ? [] : validateMetaUpdate(before.metadata, manifest.metadata)),
    ...ownFaults(manifest, before, { rules, isValid }),
  ];
}

function ownFaults(
  manifest: Manifest,
  before: Manifest | undefined,
  { rules, isValid }: Omit<KindContext, 'keepsSecrets'>,
): FieldError[] {
  if (manifest.kind === 'Ingress' && before === undefined) return validateNewIngress(manifest);
  if (manifest.kind === 'EndpointSlice' && before?.kind === 'EndpointSlice')
    return validateSliceUpdate(before, manifest);
  if (manifest.kind === 'IngressClass' && before?.kind === 'IngressClass')
    return validateIngressClassUpdate(before, manifest);
  if (manifest.kind !== 'Service') return [];
  return [
    ...(isValid ? rules.faultsOf(manifest, before) : []),
    ...(before?.kind === 'Service' ? validateServiceUpdate(before, manifest) : []),
  ];
}

interface Examined {
  readonly manifest: Manifest;
  readonly faults: readonly FieldError[];
}

/** A valid manifest as it is stored: a service with the address families that it gets here. `before`: what it replaces. */
export function settled(one: Examined, before: Manifest | undefined): Examined {
  const { manifest, faults } = one;
  if (faults.length > 0) return one;
  if (manifest.kind === 'EndpointSlice') return { manifest: withoutTopology(manifest), faults };
  if (manifest.kind !== 'Service') return one;
  const old = before?.kind === 'Service' ? before.spec : undefined;
  const { spec, faults: ofFamilies } = settleFamilies(manifest.spec ?? {}, old);
  return {
    manifest: { ...manifest, spec },
    faults: [...ofFamilies, ...sharedNodePortFaults(spec, old)],
  };
}
