import type { ManifestObject } from '@rollcall/client-sdk';
import type { Context } from '../session/context.ts';
import { tabbedText } from '../output/tabbed.ts';
import { placesOfSlices } from '../resources/endpoints.ts';
import { firstFew, NONE } from '../resources/resource.ts';
import { balancersText, specOf } from '../resources/services.ts';
import { ingressClassSpec, ingressSpec } from '../resources/ingresses.ts';
import { isNotFound } from '../session/refusal.ts';
import { annotationsOf, eventsOf, eventsText, pairs, several } from './page.ts';

const MOST_EVENTS = 20;

type IngressSpec = ReturnType<typeof ingressSpec>;
type Backend = NonNullable<IngressSpec['defaultBackend']>;
type BackendText = (backend: Backend | undefined) => string;

/** An Ingress as kubectl describes it: its rules, each with the endpoints of its backend, and its events. */
export async function ingressPage(context: Context, object: ManifestObject): Promise<string> {
  const { name, namespace, labels } = object.metadata;
  const { rollcall, clock } = context;
  const spec = ingressSpec(object);
  const { defaultBackend, ingressClassName = NONE } = spec;
  const query = { namespace, service: name, limit: MOST_EVENTS };
  const [textOf, { events }] = await Promise.all([
    backendTexts(context, namespace, spec),
    rollcall.call('events', { query }),
  ]);
  const fallback = defaultBackend === undefined ? '<default>' : textOf(defaultBackend);
  const lines = [
    ['Name:', name],
    ...several('Labels:', pairs(labels)),
    ['Namespace:', namespace],
    ['Address:', balancersText(object, true)],
    ['Ingress Class:', ingressClassName],
    ['Default backend:', fallback],
    ...tlsLines(spec),
    ...ruleLines(spec, textOf, fallback),
    ...several('Annotations:', annotationsOf(object)),
  ];
  const own = eventsOf(events, 'Ingress');
  if (own.length === 0) return tabbedText([...lines, ['Events:', NONE]]);
  return tabbedText(lines) + eventsText(own, clock.wallMs());
}

/** An ingress class as kubectl describes it. */
export async function ingressClassPage(context: Context, object: ManifestObject): Promise<string> {
  const { name, labels } = object.metadata;
  const { rollcall, clock } = context;
  const { controller = NONE, parameters } = ingressClassSpec(object);
  const query = { namespace: '*', service: name, limit: MOST_EVENTS };
  const { events } = await rollcall.call('events', { query });
  const { apiGroup, kind = '', name: named = '' } = parameters ?? {};
  const lines = [
    ['Name:', name],
    ...several('Labels:', pairs(labels)),
    ...several('Annotations:', annotationsOf(object)),
    ['Controller:', controller],
    ...(parameters === undefined
      ? []
      : [
          ['Parameters:'],
          ...(apiGroup === undefined ? [] : [['  APIGroup:', apiGroup]]),
          ['  Kind:', kind],
          ['  Name:', named],
        ]),
  ];
  const own = eventsOf(events, 'IngressClass');
  if (own.length === 0) return tabbedText([...lines, ['Events:', NONE]]);
  return tabbedText(lines) + eventsText(own, clock.wallMs());
}

function tlsLines({ tls = [] }: IngressSpec): string[][] {
  if (tls.length === 0) return [];
  const rows = tls.map(({ hosts = [], secretName = '' }) => [
    `  ${secretName === '' ? 'SNI routes' : `${secretName} terminates`} ${hosts.join(',')}`,
  ]);
  return [['TLS:'], ...rows];
}

function ruleLines({ rules = [] }: IngressSpec, textOf: BackendText, fallback: string): string[][] {
  const rows = rules.flatMap(({ host = '', http }) => {
    if (http === undefined) return [];
    const paths = (http.paths ?? []).map(({ path = '', backend }) => [
      '    ',
      `${path} `,
      textOf(backend),
    ]);
    return [[`  ${host === '' ? '*' : host}`, ''], ...paths];
  });
  return [
    ['Rules:'],
    ['  Host', 'Path', 'Backends'],
    ['  ----', '----', '--------'],
    ...(rows.length > 0 ? rows : [['  *', '*', fallback]]),
  ];
}

function resourceText({ apiGroup = NONE, kind = '', name = '' }: NonNullable<Backend['resource']>) {
  return `APIGroup: ${apiGroup}, Kind: ${kind}, Name: ${name}`;
}

/** What to say of each backend, once its service and endpoints are known. */
async function backendTexts(
  { rollcall }: Context,
  namespace: string,
  { defaultBackend, rules = [] }: IngressSpec,
): Promise<BackendText> {
  const backends = rules.flatMap(({ http }) => (http?.paths ?? []).map(({ backend }) => backend));
  const names = [defaultBackend, ...backends].map((backend) => backend?.service?.name ?? '');
  const known = new Map<string, { service: ManifestObject; slices: ManifestObject[] } | string>();
  const learn = async (name: string): Promise<void> => {
    const service = { params: { ns: namespace, kind: 'services', name } };
    const selector = `kubernetes.io/service-name=${name}`;
    const slices = { params: { ns: namespace, kind: 'endpointslices' }, query: { selector } };
    try {
      const [object, { items }] = await Promise.all([
        rollcall.call('readManifest', service),
        rollcall.call('listManifests', slices),
      ]);
      known.set(name, { service: object, slices: items });
    } catch (error) {
      if (!isNotFound(error)) throw error;
      known.set(name, `<error: ${(error as Error).message}>`);
    }
  };
  await Promise.all([...new Set(names)].filter((name) => name !== '').map(learn));
  return (backend) => {
    if (backend?.resource !== undefined) return resourceText(backend.resource);
    const { name = '', port = {} } = backend?.service ?? {};
    const title = `${name}:${port.number ?? port.name ?? ''}`;
    const found = known.get(name);
    if (found === undefined || typeof found === 'string') return `${title} (${found ?? NONE})`;
    const { ports = [] } = specOf(found.service);
    const own = ports.findLast((one) =>
      port.number === undefined ? one.name === port.name : one.port === port.number,
    );
    const places = own === undefined ? [] : placesOfSlices(found.slices, own.name ?? '');
    return `${title} (${firstFew(places)})`;
  };
}
