import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import type { Condition, ServiceReport } from '@rollcall/client-sdk';
import { freePort, until } from '@rollcall/testkit';
import { expect, onTestFinished, test } from 'vitest';
import { startLoadBalancer } from './compose.ts';
import { parseConfig } from './config/config-file.ts';
import { FakeCatalog, declare, declaredPort } from '@rollcall/client-sdk/testing';
import { endpoint } from './testing/fake-source.ts';

class FakeReports {
  readonly standing = new Map<string, ServiceReport>();

  async report(service: string, _reporter: string, report: Partial<ServiceReport>): Promise<void> {
    const { loadBalancer = [], conditions = [], forMs = 0 } = report;
    this.standing.set(service, { loadBalancer, conditions, forMs });
  }

  async withdrawReport(service: string): Promise<void> {
    this.standing.delete(service);
  }

  /** The address in the status of a service, or why there is none. */
  of(service: string): string | undefined {
    const report = this.standing.get(service);
    const [condition] = report?.conditions ?? ([] as Condition[]);
    return report?.loadBalancer[0]?.ip ?? condition?.reason;
  }
}

async function start(options: string, catalog = new FakeCatalog(), reports = new FakeReports()) {
  const text = `registry: { url: "http://127.0.0.1:1" }
listeners: []
admin: { port: 0 }
accessLog: off
shutdown: { graceMs: 0 }
loadBalancerServices: { ${options} }`;
  const parts = { catalog, reports, log: () => {} };
  const balancer = await startLoadBalancer(parseConfig(text, 'lb.yaml', {}), parts);
  onTestFinished(() => balancer.close());
  return { balancer, catalog, reports };
}

async function startInstance(name: string) {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.end(name);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  return endpoint(port, { id: `${name}/`, instance: name, portName: '' });
}

async function ask(host: string, port: number, localAddress?: string): Promise<string> {
  const socket = connect({ host, port, ...(localAddress === undefined ? {} : { localAddress }) });
  let text = '';
  try {
    for await (const chunk of socket) text += String(chunk);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'error';
  }
  return text;
}

const balanced = (port: number, changes: Parameters<typeof declare>[2] = {}) =>
  declare('', [declaredPort(port)], { type: 'LoadBalancer', ...changes });

test('a service of type LoadBalancer gets an address in its status and is served there', async () => {
  const { catalog, reports, balancer } = await start('addresses: [127.96.20.1]');
  const [a, b] = [await startInstance('a'), await startInstance('b')];
  const port = await freePort();
  catalog.show('web', balanced(port), [a, b]);
  catalog.show('inner', declare('', [declaredPort(port)]), [a]);
  await until(() => reports.of('web') === '127.96.20.1');
  const names = [await ask('127.96.20.1', port), await ask('127.96.20.1', port)];
  expect(names.toSorted()).toEqual(['a', 'b']);
  catalog.show('web', balanced(port), [b]);
  expect(await ask('127.96.20.1', port)).toBe('b');
  expect(reports.standing.has('inner')).toBe(false);
  const { admin } = balancer.addresses;
  expect(await (await fetch(`${admin}/services`)).json()).toMatchObject({
    services: [{ service: 'default/web', address: '127.96.20.1' }],
  });
  expect(await (await fetch(`${admin}/metrics`)).text()).toContain(
    'rollcall_lb_services{state="bound"} 1',
  );
  catalog.remove('web');
  await until(() => reports.standing.size === 0);
  expect(await ask('127.96.20.1', port)).toBe('ECONNREFUSED');
});

test('services share an address while their ports differ; else the next one, else a reason', async () => {
  const { catalog, reports } = await start('addresses: [127.96.21.1, 127.96.21.2]');
  const [port, other] = [await freePort(), await freePort()];
  const one = await startInstance('one');
  catalog.show('one', balanced(port), [one]);
  catalog.show('two', balanced(other), [await startInstance('two')]);
  catalog.show('three', balanced(port), [await startInstance('three')]);
  catalog.show('four', balanced(port), [await startInstance('four')]);
  await until(() => reports.standing.size === 4);
  expect(['one', 'two', 'three', 'four'].map((name) => reports.of(name))).toEqual([
    '127.96.21.1',
    '127.96.21.1',
    '127.96.21.2',
    'AddressTaken',
  ]);
  expect(await ask('127.96.21.2', port)).toBe('three');
  // A new port keeps the address; a port that is not free there moves the whole service.
  catalog.show('two', balanced(port), [await startInstance('two')]);
  await until(() => reports.of('two') === 'AddressTaken');
  catalog.remove('one');
  await until(() => ['two', 'four'].map((name) => reports.of(name)).includes('127.96.21.1'));
  expect(['two', 'four']).toContain(await ask('127.96.21.1', port));
});

test('the address that it asks for, and one that this balancer does not have', async () => {
  const { catalog, reports } = await start('addresses: [127.96.22.1, 127.96.22.2]');
  const port = await freePort();
  const endpoints = [await startInstance('a')];
  catalog.show('web', balanced(port, { loadBalancerIP: '127.96.22.2' }), endpoints);
  catalog.show('far', balanced(port, { loadBalancerIP: '203.0.113.5' }), endpoints);
  await until(() => reports.of('web') === '127.96.22.2');
  await until(() => reports.of('far') === 'AddressNotInPool');
  catalog.show('web', balanced(port, { loadBalancerIP: '127.96.22.1' }), endpoints);
  await until(() => reports.of('web') === '127.96.22.1');
  expect(await ask('127.96.22.1', port)).toBe('a');
  expect(await ask('127.96.22.2', port)).toBe('ECONNREFUSED');
});

test('only those of its class; source ranges are kept', async () => {
  const { catalog, reports } = await start('addresses: [127.96.23.1], class: internal');
  const port = await freePort();
  const endpoints = [await startInstance('a')];
  catalog.show('other', balanced(port), endpoints);
  const changes = { loadBalancerClass: 'internal', loadBalancerSourceRanges: ['127.0.8.0/24'] };
  catalog.show('web', balanced(port, changes), endpoints);
  await until(() => reports.of('web') === '127.96.23.1');
  expect(await ask('127.96.23.1', port, '127.0.8.1')).toBe('a');
  expect(await ask('127.96.23.1', port, '127.0.9.1')).toBe('ECONNRESET');
  catalog.show('web', balanced(port, { loadBalancerClass: 'internal' }), endpoints);
  expect(await ask('127.96.23.1', port, '127.0.9.1')).toBe('a');
  expect([...reports.standing.keys()]).toEqual(['web']);
});

test('UDP ports, and one port that is not carried', async () => {
  const { catalog, reports } = await start('addresses: [127.96.24.1]');
  const server = createSocket('udp4');
  server.on('message', (bytes, { port, address }) =>
    server.send(`got ${bytes.toString()}`, port, address),
  );
  server.bind(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const port = await freePort();
  const ports = [
    declaredPort(port, { name: 'dns', protocol: 'UDP' }),
    declaredPort(132, { name: 'old', protocol: 'SCTP' }),
  ];
  const behind = { id: 'a/dns', portName: 'dns', protocol: 'UDP' } as const;
  catalog.show('names', declare('', ports, { type: 'LoadBalancer' }), [
    endpoint(server.address().port, behind),
  ]);
  await until(() => reports.of('names') === '127.96.24.1');
  expect(reports.standing.get('names')!.conditions.map(({ type }) => type)).toEqual([
    'LoadBalancerBound',
    'ProtocolsSupported',
  ]);
  const client = createSocket('udp4');
  onTestFinished(() => void client.close());
  client.send('x', port, '127.96.24.1');
  const [answer] = (await once(client, 'message')) as [Buffer];
  expect(answer.toString()).toBe('got x');
});

test('a restart finds the address again; a stop says that nothing is served', async () => {
  const catalog = new FakeCatalog();
  const reports = new FakeReports();
  const addresses = 'addresses: [127.96.25.1, 127.96.25.2]';
  const { balancer } = await start(addresses, catalog, reports);
  const port = await freePort();
  const endpoints = [await startInstance('a')];
  const wanted = { loadBalancerIP: '127.96.25.2' };
  catalog.show('web', balanced(port, wanted), endpoints);
  await until(() => reports.of('web') === '127.96.25.2');
  await balancer.close();
  expect(reports.standing.get('web')).toMatchObject({
    loadBalancer: [{ ip: '127.96.25.2' }],
    conditions: [{ type: 'LoadBalancerBound', status: 'False', reason: 'Stopped' }],
  });
  expect(await ask('127.96.25.2', port)).toBe('ECONNREFUSED');
  catalog.show('web', balanced(port, { loadBalancerIPs: ['127.96.25.2'] }), endpoints);
  await start(addresses, catalog, reports);
  await until(() => reports.standing.get('web')!.conditions[0]!.reason === 'Bound');
  expect(reports.of('web')).toBe('127.96.25.2');
  expect(await ask('127.96.25.2', port)).toBe('a');
});

test('a balancer without listeners and without services has nothing to do', () => {
  const text = 'registry: { url: "http://127.0.0.1:1" }\nlisteners: []';
  expect(() => parseConfig(text, 'lb.yaml', {})).toThrow(
    'lb.yaml:2:12: listeners: bad value, got [], expected at least one listener, or loadBalancerServices besides',
  );
  const wide = `${text}\nloadBalancerServices: { addresses: [0.0.0.0] }`;
  expect(() => parseConfig(wide, 'lb.yaml', {})).toThrow(
    'loadBalancerServices.addresses[0]: bad value, got "0.0.0.0", expected an address that callers can use',
  );
});
