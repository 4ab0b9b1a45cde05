import type { ManifestObject } from '@rollcall/client-sdk';
import type { HTTPRoute, Ingress, IngressClass } from '@rollcall/manifests';
import { AGE, manifestResource, NAME } from './manifest-resource.ts';
import { firstFew, NONE, partOf } from './resource.ts';
import { balancersText } from './services.ts';

export const ingressSpec = (object: ManifestObject) =>
  (partOf(object, 'spec') as NonNullable<Ingress['spec']> | undefined) ?? {};

export const ingresses = manifestResource({
  kind: 'Ingress',
  apiVersion: 'networking.k8s.io/v1',
  names: ['ingresses', 'ingress', 'ing'],
  prefix: 'ingress.networking.k8s.io',
  columns: [
    NAME,
    { title: 'CLASS', cell: (object) => ingressSpec(object).ingressClassName ?? NONE },
    {
      title: 'HOSTS',
      cell: (object) => {
        const hosts = (ingressSpec(object).rules ?? []).flatMap(({ host }) => host || []);
        return hosts.length === 0 ? '*' : firstFew(hosts);
      },
    },
    { title: 'ADDRESS', cell: (object, _nowMs, isWide = false) => balancersText(object, isWide) },
    {
      title: 'PORTS',
      cell: (object) => ((ingressSpec(object).tls ?? []).length > 0 ? '80, 443' : '80'),
    },
    AGE,
  ],
});

export const ingressClassSpec = (object: ManifestObject) =>
  (partOf(object, 'spec') as NonNullable<IngressClass['spec']> | undefined) ?? {};

function parametersText(object: ManifestObject): string {
  const { parameters } = ingressClassSpec(object);
  if (parameters === undefined) return NONE;
  const { kind = '', apiGroup, name = '' } = parameters;
  return `${kind}${apiGroup === undefined ? '' : `.${apiGroup}`}/${name}`;
}

export const ingressClasses = manifestResource({
  kind: 'IngressClass',
  apiVersion: 'networking.k8s.io/v1',
  names: ['ingressclasses', 'ingressclass'],
  prefix: 'ingressclass.networking.k8s.io',
  isNamespaced: false,
  columns: [
    NAME,
    { title: 'CONTROLLER', cell: (object) => ingressClassSpec(object).controller ?? NONE },
    { title: 'PARAMETERS', cell: parametersText },
    AGE,
  ],
});

const routeSpec = (object: ManifestObject) =>
  (partOf(object, 'spec') as NonNullable<HTTPRoute['spec']> | undefined) ?? {};

/** As the column of the Gateway API's own definition: the list as it is, empty where there is none. */
function hostnamesText(object: ManifestObject): string {
  const { hostnames } = routeSpec(object);
  return hostnames === undefined ? '' : JSON.stringify(hostnames);
}

export const httpRoutes = manifestResource({
  kind: 'HTTPRoute',
  apiVersion: 'gateway.networking.k8s.io/v1',
  names: ['httproutes', 'httproute'],
  prefix: 'httproute.gateway.networking.k8s.io',
  columns: [NAME, { title: 'HOSTNAMES', cell: hostnamesText }, AGE],
});
