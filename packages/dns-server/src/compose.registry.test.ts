import { Rollcall } from '@rollcall/client-sdk';
import { startTestServer } from '@rollcall/registry-server/testing';
import { until } from '@rollcall/testkit';
import { expect, onTestFinished, test } from 'vitest';
import { startDnsServer } from './compose.ts';
import { readConfig } from './config/config.ts';
import { askUdp } from './testing/dns-client.ts';
import { decoded, lines, queryBytes } from './testing/packets.ts';

test('N2: instances of a registry are found by name, come and go, and stay known when the registry is away', async () => {
  const registry = await startTestServer();
  onTestFinished(() => registry.close());
  const rollcall = new Rollcall({ url: registry.url });
  onTestFinished(() => rollcall.close());
  const flags = [`--registry=${registry.url}`, '--port=0', '--metrics=off'];
  const dns = await startDnsServer(readConfig(flags), { log: () => {} });
  onTestFinished(() => dns.close());
  const ask = async (name: string, type: string) => {
    const answer = decoded(await askUdp(dns.addresses[0]!, queryBytes(name, type)));
    return answer.rcode === 'NOERROR' ? lines(answer.answers).toSorted() : answer.rcode;
  };
  const register = (id: string, address: string) =>
    rollcall.register({ service: 'web', id, address, ports: { http: 3_000 }, signals: [] });
  const first = await register('web-1', '10.0.0.1');
  await register('web-2', '10.0.0.2');
  await until(async () => (await ask('web', 'A')).length === 2);
  expect(await ask('web', 'A')).toEqual(['A 10.0.0.1', 'A 10.0.0.2']);
  expect(await ask('web-2.web.default.svc.cluster.local', 'A')).toEqual(['A 10.0.0.2']);
  expect(await ask('_http._tcp.web', 'SRV')).toHaveLength(2);
  await first.deregister();
  await until(async () => (await ask('web', 'A')).length === 1);
  expect(await ask('web-1.web', 'A')).toBe('NXDOMAIN');
  await registry.close();
  expect(await ask('web', 'A')).toEqual(['A 10.0.0.2']);
});
