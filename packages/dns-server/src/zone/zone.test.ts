import type { ServiceSnapshot } from '@rollcall/client-sdk';
import { expect, test } from 'vitest';
import { decoded, lines, queryBytes } from '../testing/packets.ts';
import { declared, endpoint, instances, servicePort, snapshot } from '../testing/snapshots.ts';
import { Query, readQuery } from '../wire/query.ts';
import { ResponseWriter } from '../wire/response-writer.ts';
import type { ZoneOptions } from './zone-options.ts';
import { Zone } from './zone.ts';

const NAMING: ZoneOptions = {
  zone: 'cluster.local',
  ttl: 5,
  negativeTtl: 7,
  namespace: 'default',
  hasShortNames: true,
  isAlone: true,
  pods: 'disabled',
  serverAddresses: ['127.0.0.1'],
};
const NGINX = 'nginx.default.svc.cluster.local';

function zoneOf(snapshots: readonly ServiceSnapshot[], naming: Partial<ZoneOptions> = {}): Zone {
  const zone = new Zone({ ...NAMING, ...naming }, 1);
  for (const one of snapshots) zone.put(one);
  return zone;
}

const writer = new ResponseWriter({ udpBytes: 1_232, isRecursive: false });

/** Asks as a client would and reads the answer with somebody else's decoder. */
function ask(zone: Zone, name: string, type: string) {
  const message = queryBytes(name, type);
  const query = new Query();
  expect(readQuery(message, query)).toBe(0);
  const prepared = zone.answer(query.name, query.type);
  if (prepared === undefined) return undefined;
  return decoded(writer.encode(message, query, prepared, 65_535));
}

/** `NXDOMAIN`, `NODATA`, `OUTSIDE`, or the answers in order of text. */
function said(zone: Zone, name: string, type: string): string | string[] {
  const answer = ask(zone, name, type);
  if (answer === undefined) return 'OUTSIDE';
  const answers = lines(answer.answers).toSorted();
  if (answer.rcode !== 'NOERROR') return answer.rcode;
  return answers.length === 0 ? 'NODATA' : answers;
}

const clusterIP = (given = {}) =>
  snapshot('nginx', { declared: declared({ clusterIPs: ['127.96.0.10'], ...given }) });

test('N1: a service with a cluster IP leads to it under every form of its name, whatever its endpoints', () => {
  const zone = zoneOf([clusterIP()]);
  for (const name of [NGINX, 'nginx', 'nginx.default', 'nginx.default.svc', 'NGINX.Default.SVC']) {
    expect(said(zone, name, 'A')).toEqual(['A 127.96.0.10']);
    expect(said(zone, name, 'AAAA')).toBe('NODATA');
  }
});

test('short names can be left to others, and another namespace can be the default one', () => {
  const zone = zoneOf([clusterIP()], { hasShortNames: false });
  expect(said(zone, 'nginx', 'A')).toBe('OUTSIDE');
  expect(said(zone, 'nginx.default', 'A')).toBe('OUTSIDE');
  expect(said(zone, NGINX, 'A')).toEqual(['A 127.96.0.10']);
  const shop = { ...clusterIP(), namespace: 'shop' };
  expect(said(zoneOf([shop], { namespace: 'shop' }), 'nginx', 'A')).toEqual(['A 127.96.0.10']);
  expect(said(zoneOf([shop]), 'nginx', 'A')).toBe('NXDOMAIN');
  expect(said(zoneOf([shop]), 'nginx.shop', 'A')).toEqual(['A 127.96.0.10']);
});

test('both families of a cluster IP are told apart', () => {
  const zone = zoneOf([clusterIP({ clusterIPs: ['127.96.0.10', 'fd00::a'] })]);
  expect(said(zone, NGINX, 'A')).toEqual(['A 127.96.0.10']);
  expect(said(zone, NGINX, 'AAAA')).toEqual(['AAAA fd00::a']);
});

test('SRV of a service with a cluster IP gives its own name, its ports and its address', () => {
  const ports = [
    servicePort({ name: 'http', port: 80 }),
    servicePort({ name: 'dns', port: 53, protocol: 'UDP' }),
  ];
  const zone = zoneOf([clusterIP({ ports })]);
  const answer = ask(zone, `_http._tcp.${NGINX}`, 'SRV')!;
  expect(lines(answer.answers)).toEqual([`SRV 0 100 80 ${NGINX}`]);
  expect(answer.additionals).toMatchObject([{ name: NGINX, type: 'A', data: '127.96.0.10' }]);
  expect(said(zone, `_dns._udp.${NGINX}`, 'SRV')).toEqual([`SRV 0 100 53 ${NGINX}`]);
  expect(said(zone, '_http._tcp.nginx', 'SRV')).toEqual([`SRV 0 100 80 ${NGINX}`]);
  expect(said(zone, '_http._tcp.nginx.default', 'SRV')).toEqual([`SRV 0 100 80 ${NGINX}`]);
  expect(said(zone, '_http._tcp.nginx.default.svc', 'SRV')).toEqual([`SRV 0 100 80 ${NGINX}`]);
  expect(said(zone, NGINX, 'SRV')).toHaveLength(2);
  expect(said(zone, `_http._udp.${NGINX}`, 'SRV')).toBe('NXDOMAIN');
  expect(said(zone, `_tcp.${NGINX}`, 'SRV')).toBe('NODATA');
  expect(said(zone, `_sctp.${NGINX}`, 'SRV')).toBe('NXDOMAIN');
  expect(said(zone, `_http._tcp.${NGINX}`, 'A')).toBe('NODATA');
});

test('a port without a name is found by the name of the service alone', () => {
  const zone = zoneOf([clusterIP({ ports: [servicePort({ name: '', port: 80 })] })]);
  expect(said(zone, NGINX, 'SRV')).toEqual([`SRV 0 100 80 ${NGINX}`]);
  expect(said(zone, `_tcp.${NGINX}`, 'SRV')).toBe('NXDOMAIN');
});

test.each([
  ['implicit', null],
  ['headless', declared({ isHeadless: true })],
])('the name of an %s service gives all ready instances, and each has its own', (_kind, kind) => {
  const zone = zoneOf([snapshot('nginx', { declared: kind, endpoints: instances(3) })]);
  expect(said(zone, NGINX, 'A')).toEqual(['A 10.0.0.0', 'A 10.0.0.1', 'A 10.0.0.2']);
  expect(said(zone, NGINX, 'AAAA')).toBe('NODATA');
  for (const name of [`web-1.${NGINX}`, 'web-1.nginx', 'web-1.nginx.default', `10-0-0-1.${NGINX}`])
    expect(said(zone, name, 'A')).toEqual(['A 10.0.0.1']);
  expect(said(zone, `web-1.${NGINX}`, 'AAAA')).toBe('NODATA');
  expect(said(zone, `web-9.${NGINX}`, 'A')).toBe('NXDOMAIN');
  expect(said(zone, `a.web-1.${NGINX}`, 'A')).toBe('NXDOMAIN');
});

test('SRV of instances gives each its own name, port and address', () => {
  const endpoints = instances(2).map((one, i) => ({ ...one, port: 3_000 + i }));
  const zone = zoneOf([snapshot('nginx', { endpoints })]);
  const answer = ask(zone, `_http._tcp.${NGINX}`, 'SRV')!;
  expect(lines(answer.answers)).toEqual([
    `SRV 0 25600 3000 web-0.${NGINX}`,
    `SRV 0 25600 3001 web-1.${NGINX}`,
  ]);
  expect(answer.additionals).toMatchObject([
    { name: `web-0.${NGINX}`, data: '10.0.0.0' },
    { name: `web-1.${NGINX}`, data: '10.0.0.1' },
  ]);
});

test('instances on one address are one A record and two SRV records', () => {
  const endpoints = [3_001, 3_002].map((port, i) => endpoint({ instance: `web-${i}`, port }));
  const zone = zoneOf([snapshot('nginx', { endpoints })]);
  expect(said(zone, NGINX, 'A')).toEqual(['A 127.0.0.1']);
  expect(said(zone, `_http._tcp.${NGINX}`, 'SRV')).toHaveLength(2);
});

test('N3: tier 1 is given only when there is no tier 0, and draining instances never', () => {
  const [up, suspect, draining] = instances(3) as [never, never, never];
  const tiers = [
    up,
    { ...(suspect as object), tier: 1, state: 'suspect' },
    { ...(draining as object), tier: null, ready: false, terminating: true, state: 'draining' },
  ] as ReturnType<typeof instances>;
  const zone = zoneOf([snapshot('nginx', { endpoints: tiers })]);
  expect(said(zone, NGINX, 'A')).toEqual(['A 10.0.0.0']);
  expect(said(zone, `_http._tcp.${NGINX}`, 'SRV')).toHaveLength(1);
  // Its own name still leads to a doubted instance: there is no other one to give.
  expect(said(zone, `web-1.${NGINX}`, 'A')).toEqual(['A 10.0.0.1']);
  expect(said(zone, `web-2.${NGINX}`, 'A')).toBe('NXDOMAIN');
  zone.put(snapshot('nginx', { endpoints: tiers.slice(1) }));
  expect(said(zone, NGINX, 'A')).toEqual(['A 10.0.0.1']);
});

test('instances that are not ready but published are given', () => {
  const endpoints = instances(1, { ready: true, state: 'starting', tier: 0 });
  const kind = declared({ isHeadless: true, publishNotReadyAddresses: true });
  expect(said(zoneOf([snapshot('nginx', { declared: kind, endpoints })]), NGINX, 'A')).toEqual([
    'A 10.0.0.0',
  ]);
});

test('N4: an instance of weight 0 is in no A answer while another has weight; SRV says its 0', () => {
  const endpoints = instances(2).map((one, i) => ({ ...one, weight: i * 50 }));
  const zone = zoneOf([snapshot('nginx', { endpoints })]);
  expect(said(zone, NGINX, 'A')).toEqual(['A 10.0.0.1']);
  expect(said(zone, `_http._tcp.${NGINX}`, 'SRV')).toEqual([
    `SRV 0 0 3000 web-0.${NGINX}`,
    `SRV 0 12800 3000 web-1.${NGINX}`,
  ]);
});

test('without a ready instance the names of a headless service are not there; with IPv4 alone AAAA is only empty', () => {
  const down = instances(1, { ready: false, tier: null, state: 'down' });
  const zone = zoneOf([snapshot('nginx', { endpoints: down })]);
  for (const name of [NGINX, 'nginx', 'nginx.default', `_http._tcp.${NGINX}`, `web-0.${NGINX}`])
    expect(said(zone, name, 'A')).toBe('NXDOMAIN');
  zone.put(snapshot('nginx', { endpoints: instances(1) }));
  expect(said(zone, NGINX, 'AAAA')).toBe('NODATA');
});

test('a service with a cluster IP and no endpoint is there', () => {
  expect(said(zoneOf([clusterIP()]), NGINX, 'A')).toEqual(['A 127.96.0.10']);
});

test('IPv6 instances are AAAA, of one and the same address whatever its spelling', () => {
  const endpoints = ['fd00::1', 'FD00:0:0:0:0:0:0:2', '::ffff:10.0.0.1'].map((address, i) =>
    endpoint({ instance: `web-${i}`, address }),
  );
  const zone = zoneOf([snapshot('nginx', { endpoints })]);
  expect(said(zone, NGINX, 'AAAA')).toEqual(['AAAA ::ffff:a00:1', 'AAAA fd00::1', 'AAAA fd00::2']);
  expect(said(zone, NGINX, 'A')).toBe('NODATA');
});

test('N8: instances known by a host name are left out of A, targets of SRV, and an alias when they are all there is', () => {
  const named = endpoint({ instance: 'ext', address: 'db.example.com' });
  const zone = zoneOf([snapshot('nginx', { endpoints: [...instances(1), named] })]);
  expect(said(zone, NGINX, 'A')).toEqual(['A 10.0.0.0']);
  expect(said(zone, `_http._tcp.${NGINX}`, 'SRV')).toContain('SRV 0 25600 3000 db.example.com');
  expect(said(zone, `ext.${NGINX}`, 'A')).toEqual(['CNAME db.example.com']);
  zone.put(snapshot('nginx', { endpoints: [named] }));
  expect(said(zone, NGINX, 'A')).toEqual(['CNAME db.example.com']);
});

test('ids that are no labels are found under what is made of them', () => {
  const endpoints = [endpoint({ instance: 'Web_1.eu:3000', address: '10.0.0.9' })];
  const zone = zoneOf([snapshot('nginx', { endpoints })]);
  expect(said(zone, `web-1-eu-3000.${NGINX}`, 'A')).toEqual(['A 10.0.0.9']);
});

const external = (service: string, externalName: string) =>
  snapshot(service, { declared: declared({ type: 'ExternalName', externalName }) });

test('in a circle of aliases each is said once', () => {
  const full = (service: string) => `${service}.default.svc.cluster.local`;
  const zone = zoneOf([
    external('a', full('b')),
    external('b', full('C')),
    external('c', full('a')),
  ]);
  const { answers, rcode } = ask(zone, full('a'), 'A')!;
  expect(rcode).toBe('NOERROR');
  const owners = answers!.map(({ name }) => name.toLowerCase());
  expect(owners).toEqual([full('a'), full('b'), full('c')]);
  expect(ask(zone, 'a', 'A')!.answers).toHaveLength(4);
});

test('N9: an ExternalName is an alias for every type, followed within the zone only', () => {
  const zone = zoneOf([
    external('db', 'db.example.com'),
    external('web', `${NGINX}.`),
    external('chain', 'web.default.svc.cluster.local'),
    external('gone', 'gone-too.default.svc.cluster.local'),
    external('loop', 'loop.default.svc.cluster.local'),
    clusterIP(),
  ]);
  for (const type of ['A', 'AAAA', 'SRV', 'TXT', 'CNAME'])
    expect(said(zone, 'db', type)).toEqual(['CNAME db.example.com']);
  expect(said(zone, 'web', 'A')).toEqual(['A 127.96.0.10', `CNAME ${NGINX}`]);
  const chain = ask(zone, 'chain.default.svc.cluster.local', 'A')!;
  expect(lines(chain.answers)).toEqual([
    'CNAME web.default.svc.cluster.local',
    `CNAME ${NGINX}`,
    'A 127.96.0.10',
  ]);
  expect(chain.answers).toMatchObject([
    {},
    { name: 'web.default.svc.cluster.local' },
    { name: NGINX },
  ]);
  expect(said(zone, 'chain', 'CNAME')).toEqual(['CNAME web.default.svc.cluster.local']);
  expect(ask(zone, 'gone', 'A')).toMatchObject({
    rcode: 'NXDOMAIN',
    authorities: [{ type: 'SOA' }],
  });
  expect(ask(zone, 'web', 'AAAA')).toMatchObject({
    rcode: 'NOERROR',
    authorities: [{ type: 'SOA' }],
  });
  expect(said(zone, 'loop.default.svc.cluster.local', 'A')).toEqual([
    'CNAME loop.default.svc.cluster.local',
  ]);
});

test('what an alias leads to is current', () => {
  const zone = zoneOf([external('web', NGINX), clusterIP()]);
  expect(said(zone, 'web', 'A')).toContain('A 127.96.0.10');
  zone.put(clusterIP({ clusterIPs: ['127.96.0.11'] }));
  expect(said(zone, 'web', 'A')).toContain('A 127.96.0.11');
});

test('a set of SRV records has each place once, whatever its ports are called', () => {
  const ports = [
    servicePort({ name: 'dns', port: 53, protocol: 'UDP' }),
    servicePort({ name: 'dns-tcp', port: 53 }),
  ];
  const zone = zoneOf([
    clusterIP({ ports }),
    snapshot('api', {
      endpoints: [
        endpoint({ instance: 'web-1', portName: 'http', port: 80 }),
        endpoint({ instance: 'web-1', portName: 'web', port: 80 }),
        endpoint({ instance: 'Web_1', portName: 'http', port: 80, weight: 1 }),
      ],
    }),
  ]);
  expect(said(zone, NGINX, 'SRV')).toEqual([`SRV 0 50 53 ${NGINX}`]);
  const target = 'web-1.api.default.svc.cluster.local';
  for (const name of ['api', '_http._tcp.api'])
    expect(said(zone, name, 'SRV')).toEqual([expect.stringMatching(new RegExp(` 80 ${target}$`))]);
});

test('N7: instances behind a cluster IP have names of their own, which reverse lookups give', () => {
  const endpoints = [...instances(1), endpoint({ instance: 'gone', tier: null })];
  const zone = zoneOf([snapshot('nginx', { ...clusterIP(), endpoints })]);
  const [{ address, instance }] = endpoints as [(typeof endpoints)[0]];
  const reverse = `${address.split('.').toReversed().join('.')}.in-addr.arpa`;
  expect(said(zone, reverse, 'PTR')).toEqual([`PTR ${instance}.${NGINX}`]);
  expect(said(zone, `${instance}.${NGINX}`, 'A')).toEqual([`A ${address}`]);
  expect(said(zone, NGINX, 'A')).toEqual(['A 127.96.0.10']);
  expect(said(zone, `gone.${NGINX}`, 'A')).toBe('NXDOMAIN');
});

test('addresses beside an SRV record stand under its target, letter for letter', () => {
  const zone = zoneOf([clusterIP(), snapshot('api', { endpoints: instances(2) })]);
  for (const name of ['_http._tcp.NgInX', '_HTTP._tcp.nginx.Default.SVC.Cluster.Local', 'aPi']) {
    const { answers, additionals } = ask(zone, name, 'SRV')!;
    const targets = answers!.map((record) => (record as { data: { target: string } }).data.target);
    const named = additionals!.filter(({ type }) => type === 'A').map((record) => record.name);
    expect(new Set(named)).toEqual(new Set(targets));
  }
});

test('the target of an SRV record has the letters that it was registered with', () => {
  const endpoints = [endpoint({ instance: 'db', address: 'Db-1.Example.COM', port: 5_432 })];
  const zone = zoneOf([snapshot('db', { endpoints })]);
  expect(said(zone, '_HTTP._tcp.DB', 'SRV')).toEqual(['SRV 0 25600 5432 Db-1.Example.COM']);
});

test('reverse lookups give cluster IPs and instances their names, and know nothing of other addresses', () => {
  const zone = zoneOf([
    clusterIP(),
    snapshot('api', { endpoints: instances(2) }),
    snapshot('v6', { endpoints: [endpoint({ instance: 'six', address: 'fd00::6' })] }),
  ]);
  expect(said(zone, '10.0.96.127.in-addr.arpa', 'PTR')).toEqual([`PTR ${NGINX}`]);
  expect(said(zone, '1.0.0.10.in-addr.arpa', 'PTR')).toEqual([
    'PTR web-1.api.default.svc.cluster.local',
  ]);
  const v6 = '6.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa';
  expect(said(zone, v6, 'PTR')).toEqual(['PTR six.v6.default.svc.cluster.local']);
  expect(said(zone, v6, 'A')).toBe('NODATA');
  for (const name of ['9.9.9.9.in-addr.arpa', '10.in-addr.arpa', 'x.ip6.arpa', 'arpa'])
    expect(said(zone, name, 'PTR')).toBe('OUTSIDE');
  zone.put(snapshot('api', { endpoints: instances(1) }));
  expect(said(zone, '1.0.0.10.in-addr.arpa', 'PTR')).toBe('OUTSIDE');
  zone.remove('default', 'nginx');
  expect(said(zone, '10.0.96.127.in-addr.arpa', 'PTR')).toBe('OUTSIDE');
});

test('one address of very many services gives no more than 16 names', () => {
  const zone = zoneOf(
    Array.from({ length: 40 }, (_, i) =>
      snapshot(`s${i}`, { endpoints: [endpoint({ instance: 'a' })] }),
    ),
  );
  expect(said(zone, '1.0.0.127.in-addr.arpa', 'PTR')).toHaveLength(16);
});

test('the zone says what it is', () => {
  const zone = zoneOf([clusterIP()]);
  expect(said(zone, 'dns-version.cluster.local', 'TXT')).toEqual(['TXT 1.1.0']);
  expect(ask(zone, 'cluster.local', 'SOA')).toMatchObject({
    answers: [
      {
        name: 'cluster.local',
        data: { mname: 'ns.dns.cluster.local', rname: 'hostmaster.cluster.local', minimum: 7 },
      },
    ],
  });
  expect(ask(zone, 'cluster.local', 'NS')).toMatchObject({
    answers: [{ data: 'ns.dns.cluster.local' }],
    additionals: [{ name: 'ns.dns.cluster.local', data: '127.0.0.1' }],
  });
  expect(said(zone, 'ns.dns.cluster.local', 'A')).toEqual(['A 127.0.0.1']);
  expect(said(zone, NGINX, 'ANY')).toEqual(['HINFO RFC8482']);
});

test('N10: names above others are there without records, unknown ones are not; both come with the SOA', () => {
  const zone = zoneOf([clusterIP()]);
  for (const name of ['cluster.local', 'svc.cluster.local', 'default.svc.cluster.local'])
    expect(said(zone, name, 'A')).toBe('NODATA');
  for (const name of [
    'x.cluster.local',
    'shop.svc.cluster.local',
    'x.default.svc.cluster.local',
    `a._http._tcp.${NGINX}`,
    'x',
  ])
    expect(said(zone, name, 'A')).toBe('NXDOMAIN');
  for (const [name, type] of [
    [NGINX, 'AAAA'],
    ['x.cluster.local', 'A'],
    ['nginx', 'TXT'],
    ['x', 'A'],
  ] as const)
    expect(ask(zone, name, type)!.authorities).toMatchObject([
      {
        name: 'cluster.local',
        type: 'SOA',
        ttl: 7,
        data: { minimum: 7, mname: 'ns.dns.cluster.local', rname: 'hostmaster.cluster.local' },
      },
    ]);
});

test('the serial of the zone grows with each change', () => {
  const zone = zoneOf([clusterIP()]);
  const serial = () => {
    const [soa] = ask(zone, 'x.cluster.local', 'A')!.authorities! as never as [
      { data: { serial: number } },
    ];
    return soa.data.serial;
  };
  const before = serial();
  zone.put(clusterIP());
  expect(serial()).toBe(before + 1);
});

test('names of others are outside; below a known service or namespace they are ours unless somebody else is asked', () => {
  const snapshots = [snapshot('nginx', { endpoints: instances(1) })];
  const zone = zoneOf(snapshots);
  expect(said(zone, 'www.example.com', 'A')).toBe('OUTSIDE');
  expect(said(zone, '.', 'NS')).toBe('OUTSIDE');
  expect(said(zone, 'x.default', 'A')).toBe('NXDOMAIN');
  expect(said(zone, 'x.nginx', 'A')).toBe('NXDOMAIN');
  const open = zoneOf(snapshots, { isAlone: false });
  for (const name of ['x.default', 'x.nginx', 'www.example.com'])
    expect(said(open, name, 'A')).toBe('OUTSIDE');
  for (const name of ['x', 'x.default.svc', 'x.svc', '_x._tcp.nginx'])
    expect(said(open, name, 'A')).toBe('NXDOMAIN');
  expect(said(open, 'web-0.nginx', 'A')).toEqual(['A 10.0.0.0']);
});

test('a service goes before an instance where a short name may mean both', () => {
  const zone = zoneOf([
    snapshot('b', { endpoints: [endpoint({ instance: 'a', address: '10.0.0.1' })] }),
  ]);
  expect(said(zone, 'a.b', 'A')).toEqual(['A 10.0.0.1']);
  zone.put(
    snapshot('a', {
      namespace: 'b',
      endpoints: [endpoint({ instance: 'x', address: '10.0.0.2' })],
    }),
  );
  expect(said(zone, 'a.b', 'A')).toEqual(['A 10.0.0.2']);
  zone.remove('b', 'a');
  expect(said(zone, 'a.b', 'A')).toEqual(['A 10.0.0.1']);
});

test('answers follow changes of their service', () => {
  const zone = zoneOf([snapshot('nginx', { endpoints: instances(1) })]);
  const other = zoneOf([]);
  expect(said(zone, 'nginx', 'A')).toEqual(['A 10.0.0.0']);
  expect(said(zone, `web-0.${NGINX}`, 'A')).toEqual(['A 10.0.0.0']);
  zone.put(snapshot('nginx', { endpoints: instances(1, { address: '10.9.9.9' }) }));
  expect(said(zone, 'nginx', 'A')).toEqual(['A 10.9.9.9']);
  expect(said(zone, `web-0.${NGINX}`, 'A')).toEqual(['A 10.9.9.9']);
  zone.remove('default', 'nginx');
  expect(said(zone, NGINX, 'A')).toBe('NXDOMAIN');
  expect(said(other, 'default.svc.cluster.local', 'A')).toBe('NXDOMAIN');
});

test('N5: addresses take turns, each first once a round', () => {
  const zone = zoneOf([snapshot('nginx', { endpoints: instances(3) })]);
  const firsts = Array.from({ length: 6 }, () => lines(ask(zone, 'nginx', 'A')!.answers)[0]);
  expect(new Set(firsts.slice(0, 3)).size).toBe(3);
  expect(firsts.slice(3)).toEqual(firsts.slice(0, 3));
});

test('names of other depths work in another zone', () => {
  const zone = zoneOf([clusterIP()], { zone: 'eu.corp.example' });
  expect(said(zone, 'nginx.default.svc.eu.corp.example', 'A')).toEqual(['A 127.96.0.10']);
  expect(said(zone, 'x.eu.corp.example', 'A')).toBe('NXDOMAIN');
  expect(said(zone, NGINX, 'A')).toBe('OUTSIDE');
});
