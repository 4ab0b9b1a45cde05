import type { ManifestObject, ServiceReport } from '@rollcall/client-sdk';
import type { ServiceSpec } from '@rollcall/manifests';
import type { Context } from '../session/context.ts';
import { placesOfSlices } from '../resources/endpoints.ts';
import { firstFew, NONE } from '../resources/resource.ts';
import { ingressOf, specOf } from '../resources/services.ts';
import { eventsOf, type Field, headOf, pageText, pairs, ruledRows } from './page.ts';

const MOST_EVENTS = 20;

/** A service with its endpoints, the reports of data planes, and its events. */
export async function servicePage(context: Context, object: ManifestObject): Promise<string> {
  const { name, namespace } = object.metadata;
  const { rollcall, clock } = context;
  const params = { ns: namespace, kind: 'endpointslices' };
  const selector = `kubernetes.io/service-name=${name}`;
  const [{ items: slices }, { events }, { reports }] = await Promise.all([
    rollcall.call('listManifests', { params, query: { selector } }),
    rollcall.call('events', { query: { namespace, service: name, limit: MOST_EVENTS } }),
    rollcall.call('listReports', { params: { ns: namespace, svc: name } }),
  ]);
  const fields = [
    ...headOf(object),
    ...addressFields(object),
    ...portFields(object, slices),
    ...policyFields(specOf(object)),
  ];
  const declared = new Set(eventsOf(events, 'Service'));
  const own = events.filter((event) => event.instance !== '' || declared.has(event));
  return pageText(fields, { middle: conditionsText(reports), events: own, nowMs: clock.wallMs() });
}

function addressFields(object: ManifestObject): Field[] {
  const spec = specOf(object);
  const { type = 'ClusterIP', ipFamilyPolicy, ipFamilies = [], clusterIPs = [] } = spec;
  return [
    ['Selector', pairs(spec.selector).join(',') || NONE],
    ['Type', type],
    ...some('IP Family Policy', ipFamilyPolicy),
    ['IP Families', ipFamilies.join(',') || NONE],
    ['IP', spec.clusterIP ?? ''],
    ['IPs', clusterIPs.join(',') || NONE],
    ...some('External IPs', spec.externalIPs?.join(',')),
    ...some('Desired LoadBalancer IP', spec.loadBalancerIP),
    ...some('External Name', spec.externalName),
    ...some('LoadBalancer Ingress', ingressOf(object).map(placeText).join(', ')),
  ];
}

function portFields(object: ManifestObject, slices: readonly ManifestObject[]): Field[] {
  const { ports = [] } = specOf(object);
  return ports.flatMap((one): Field[] => {
    const { name = '', port, protocol = 'TCP', targetPort, nodePort = 0, appProtocol } = one;
    const title = name === '' ? '<unset>' : name;
    return [
      ['Port', `${title}  ${port}/${protocol}`],
      ['TargetPort', `${targetPort ?? port}/${protocol}`],
      ...some('AppProtocol', appProtocol),
      ...some('NodePort', nodePort > 0 ? `${title}  ${nodePort}/${protocol}` : ''),
      ['Endpoints', firstFew(placesOfSlices(slices, name))],
    ];
  });
}

function policyFields(spec: ServiceSpec): Field[] {
  const { sessionAffinity = 'None', healthCheckNodePort: checked = 0 } = spec;
  return [
    ['Session Affinity', sessionAffinity],
    ...some('External Traffic Policy', spec.externalTrafficPolicy),
    ...some('Internal Traffic Policy', spec.internalTrafficPolicy),
    ...some('HealthCheck NodePort', checked === 0 ? '' : String(checked)),
    ...some('LoadBalancer Source Ranges', spec.loadBalancerSourceRanges?.join(',')),
    ...some('Traffic Distribution', spec.trafficDistribution),
  ];
}

/** `192.0.2.1 (VIP)`, the mode only where it is known. */
function placeText({ ip, hostname = '', ipMode }: ReturnType<typeof ingressOf>[number]): string {
  if (ip === undefined || ip === '') return hostname;
  return ipMode === undefined ? ip : `${ip} (${ipMode})`;
}

/** A field that is left out when it is empty. */
function some(title: string, value: string | undefined): Field[] {
  return value === undefined || value === '' ? [] : [[title, value]];
}

type Reported = Pick<ServiceReport, 'conditions'> & { readonly reporter: string };

function conditionsText(reports: readonly Reported[]): string {
  const rows = reports.flatMap(({ reporter, conditions }) =>
    conditions.map(({ type, status, reason, message }) => [
      type,
      status,
      reason,
      reporter,
      message,
    ]),
  );
  if (rows.length === 0) return '';
  return `Conditions:\n${ruledRows(['Type', 'Status', 'Reason', 'Reporter', 'Message'], rows)}`;
}
