import type { ServiceSnapshot } from '@rollcall/client-sdk';
import { expect, test } from 'vitest';
import { decoded, lines, queryBytes } from '../testing/packets.ts';
import { declared, endpoint, servicePort, snapshot } from '../testing/snapshots.ts';
import { Query, readQuery } from '../wire/query.ts';
import { ResponseWriter } from '../wire/response-writer.ts';
import type { ZoneOptions } from './zone-options.ts';
import { Zone } from './zone.ts';

const ZONE = 'cluster.local';
const WEB = `web.default.svc.${ZONE}`;

const writer = new ResponseWriter({ udpBytes: 1_232, isRecursive: false });

function zoneOf(...snapshots: readonly ServiceSnapshot[]): Zone {
  return zoneWith('disabled', ...snapshots);
}

function zoneWith(pods: ZoneOptions['pods'], ...snapshots: readonly ServiceSnapshot[]): Zone {
  const zone = new Zone(
    {
      zone: ZONE,
      ttl: 5,
      negativeTtl: 5,
      namespace: 'default',
      hasShortNames: true,
      isAlone: true,
      pods,
      serverAddresses: ['127.0.0.1'],
    },
    1,
  );
  for (const one of snapshots) zone.put(one);
  return zone;
}

function ask(zone: Zone, name: string, type: string, limit = 65_535) {
  const message = queryBytes(name, type);
  const query = new Query();
  expect(readQuery(message, query)).toBe(0);
  const prepared = zone.answer(query.name, query.type);
  return prepared && decoded(writer.encode(message, query, prepared, limit));
}

const answersOf = (zone: Zone, name: string, type: string) =>
  lines(ask(zone, name, type)?.answers).toSorted();

const web = (given: object, endpoints: ServiceSnapshot['endpoints'] = []) =>
  snapshot('web', { declared: declared(given), endpoints });

test('the version may be cached for eight hours', () => {
  const answer = ask(zoneOf(), `dns-version.${ZONE}`, 'TXT');
  expect(answer?.answers).toMatchObject([{ type: 'TXT', ttl: 28_800 }]);
});

test('pod is a name without records, and nothing is below it', () => {
  const zone = zoneOf(snapshot('web', { endpoints: [endpoint({ instance: 'a' })] }));
  expect(ask(zone, `pod.${ZONE}`, 'A')).toMatchObject({ rcode: 'NOERROR', answers: [] });
  for (const name of ['default', '127-0-0-1.default']) {
    const answer = ask(zone, `${name}.pod.${ZONE}`, 'A');
    expect(answer).toMatchObject({ rcode: 'NXDOMAIN', authorities: [{ type: 'SOA', name: ZONE }] });
  }
});

test('an address has the name of a pod where its instance is, or where any namespace is', () => {
  const endpoints = ['192.0.2.1', 'fd00::7'].map((address, i) =>
    endpoint({ instance: `i-${i}`, address }),
  );
  const shop = snapshot('web', { namespace: 'shop', endpoints });
  const own = web({ clusterIPs: ['127.96.0.10'] });
  const pod = (name: string) => `${name}.pod.${ZONE}`;
  const verified = zoneWith('verified', shop, own);
  const insecure = zoneWith('insecure', shop, own);
  for (const zone of [verified, insecure]) {
    expect(answersOf(zone, pod('192-0-2-1.shop'), 'A')).toEqual(['A 192.0.2.1']);
    expect(answersOf(zone, pod('fd00--7.shop'), 'AAAA')).toEqual(['AAAA fd00::7']);
    for (const name of ['shop', '192-0-2-1.shop'])
      expect(ask(zone, pod(name), 'AAAA')).toMatchObject({ rcode: 'NOERROR', answers: [] });
    for (const name of ['a.shop', '192-0-2-999.shop', 'x.192-0-2-1.shop', '192-0-2-1.none', 'none'])
      expect(ask(zone, pod(name), 'A')?.rcode).toBe('NXDOMAIN');
  }
  // Not an instance, not in this namespace, and no instance but a cluster IP.
  for (const name of ['192-0-2-9.shop', '192-0-2-1.default', '127-96-0-10.default']) {
    expect(ask(verified, pod(name), 'A')?.rcode).toBe('NXDOMAIN');
    expect(answersOf(insecure, pod(name), 'A')).toHaveLength(1);
  }
  verified.remove('shop', 'web');
  expect(ask(verified, pod('192-0-2-1.shop'), 'A')?.rcode).toBe('NXDOMAIN');
});

test('wildcards are ordinary names that do not exist', () => {
  const zone = zoneOf(web({ clusterIPs: ['127.96.0.10'] }));
  for (const name of [`*.default.svc`, `web.*.svc`, `*.web.default.svc`, '_*._tcp.web.default.svc'])
    expect(ask(zone, `${name}.${ZONE}`, 'SRV')?.rcode).toBe('NXDOMAIN');
});

test('cluster IPs and ports of one answer share the weight', () => {
  const ports = [servicePort({ name: 'http', port: 80 }), servicePort({ name: 'ops', port: 81 })];
  const one = zoneOf(web({ clusterIPs: ['127.96.0.10'], ports }));
  expect(answersOf(one, WEB, 'SRV')).toEqual([`SRV 0 50 80 ${WEB}`, `SRV 0 50 81 ${WEB}`]);
  expect(answersOf(one, `_ops._tcp.${WEB}`, 'SRV')).toEqual([`SRV 0 100 81 ${WEB}`]);
  const two = zoneOf(web({ clusterIPs: ['127.96.0.10', 'fd00::a'] }));
  expect(answersOf(two, WEB, 'SRV')).toEqual([`SRV 0 50 8080 ${WEB}`]);
});

test('a headless service without ports has addresses, and no SRV records', () => {
  const one = endpoint({ instance: 'a', address: '192.0.2.1', portName: '' });
  const zone = zoneOf(web({ isHeadless: true, ports: [] }, [one]));
  expect(answersOf(zone, WEB, 'A')).toEqual(['A 192.0.2.1']);
  expect(ask(zone, WEB, 'SRV')).toMatchObject({ rcode: 'NOERROR', answers: [] });
});

test('an external name that is an address is no alias', () => {
  for (const externalName of ['192.0.2.1', '192.0.2.1.', '2001:db8::1']) {
    const zone = zoneOf(web({ type: 'ExternalName', externalName }));
    for (const type of ['A', 'CNAME']) expect(ask(zone, WEB, type)?.rcode).toBe('NXDOMAIN');
  }
});

test('an endpoint has the name of its address, also behind a cluster IP, of both families', () => {
  const endpoints = ['192.0.2.1', '2001:db8::7', 'fd00::', '::1'].map((address, i) =>
    endpoint({ instance: `i-${i}`, address }),
  );
  for (const given of [{ clusterIPs: ['127.96.0.10'] }, { isHeadless: true }]) {
    const zone = zoneOf(web(given, endpoints));
    expect(answersOf(zone, `192-0-2-1.${WEB}`, 'A')).toEqual(['A 192.0.2.1']);
    expect(answersOf(zone, `2001-db8--7.${WEB}`, 'AAAA')).toEqual(['AAAA 2001:db8::7']);
    expect(answersOf(zone, `fd00--0.${WEB}`, 'AAAA')).toEqual(['AAAA fd00::']);
    expect(answersOf(zone, `--1.${WEB}`, 'AAAA')).toEqual(['AAAA ::1']);
    expect(ask(zone, `192-0-2-9.${WEB}`, 'A')?.rcode).toBe('NXDOMAIN');
  }
});

test('an address that is written in two ways is one record', () => {
  const endpoints = ['fd00::1', 'FD00:0::1'].map((address, i) =>
    endpoint({ instance: `i-${i}`, address }),
  );
  const zone = zoneOf(snapshot('web', { endpoints }));
  expect(answersOf(zone, WEB, 'AAAA')).toEqual(['AAAA fd00::1']);
});

test('the reverse of a cluster IP is its service alone, and after it is gone the endpoints there', () => {
  const one = endpoint({ instance: 'a', address: '127.96.0.10' });
  const api = snapshot('api', { endpoints: [one] });
  const zone = zoneOf(api, web({ clusterIPs: ['127.96.0.10'] }));
  const reverse = '10.0.96.127.in-addr.arpa';
  expect(answersOf(zone, reverse, 'PTR')).toEqual([`PTR ${WEB}`]);
  zone.remove('default', 'web');
  expect(answersOf(zone, reverse, 'PTR')).toEqual([`PTR a.api.default.svc.${ZONE}`]);
});

test('the zone in a target has the letters of the question, the rest those of the record', () => {
  const zone = zoneOf(web({ clusterIPs: ['127.96.0.10'] }));
  const targetOf = (name: string) => {
    const { answers = [], additionals = [] } = ask(zone, name, 'SRV') ?? {};
    const [target] = answers.map((record) => (record as { data: { target: string } }).data.target);
    expect(additionals.map((record) => record.name)).toEqual([target]);
    return target;
  };
  for (const letters of ['cLuStEr.LoCaL', 'cluster.local', 'CLUSTER.LOCAL']) {
    const target = `web.default.svc.${letters}`;
    expect(targetOf(`_HTTP._tcp.WEB.Default.SVC.${letters}`)).toBe(target);
    expect(targetOf(`Web.default.svc.${letters}`)).toBe(target);
  }
  expect(targetOf('_http._tcp.WEB')).toBe(WEB);
  // Records that are left out for want of room are not written over.
  const question = queryBytes(`web.default.svc.CLUSTER.LOCAL`, 'SRV').length;
  const cut = ask(zone, `web.default.svc.CLUSTER.LOCAL`, 'SRV', question + 4);
  expect(cut).toMatchObject({ answers: [], flag_tc: true });
});
