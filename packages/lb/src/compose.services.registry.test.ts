import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { Rollcall } from '@rollcall/client-sdk';
import { startTestServer } from '@rollcall/registry-server/testing';
import { freePort, until } from '@rollcall/testkit';
import { expect, onTestFinished, test } from 'vitest';
import { startLoadBalancer } from './compose.ts';
import { parseConfig } from './config/config-file.ts';

test('a service declared as LoadBalancer shows its address in its status and is served there', async () => {
  const registry = await startTestServer();
  onTestFinished(() => registry.close());
  const client = new Rollcall({ url: registry.url });
  onTestFinished(() => client.close());
  const instance = createServer((socket) => {
    socket.on('error', () => {});
    socket.end('served');
  }).listen(0, '127.0.0.1');
  await once(instance, 'listening');
  onTestFinished(() => void instance.close());
  const { port: instancePort } = instance.address() as AddressInfo;
  await client.register({ service: 'web', port: instancePort });
  const text = `registry: { url: "${registry.url}" }
listeners: []
admin: { port: 0 }
accessLog: off
shutdown: { graceMs: 0 }
loadBalancerServices: { addresses: [127.96.26.1], reporter: lb.one }`;
  const balancer = await startLoadBalancer(parseConfig(text, 'lb.yaml', {}), { log: () => {} });
  onTestFinished(() => balancer.close());
  const port = await freePort();
  const spec = {
    type: 'LoadBalancer',
    selector: { app: 'web' },
    ports: [{ port, targetPort: 'http' }],
  };
  const manifest = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'web' }, spec };
  await client.call('apply', { body: JSON.stringify(manifest) });
  const params = { ns: 'default', kind: 'services', name: 'web' };
  const status = await until(async () => {
    const read = await client.call('readManifest', { params });
    const shown = JSON.stringify(read);
    return shown.includes('127.96.26.1') ? shown : undefined;
  });
  expect(status).toContain('"loadBalancer":{"ingress":[{"ip":"127.96.26.1"');
  await until(async () => {
    const socket = connect({ host: '127.96.26.1', port });
    let heard = '';
    for await (const chunk of socket) heard += String(chunk);
    return heard === 'served';
  });
});
