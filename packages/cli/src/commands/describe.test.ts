import { afterAll, beforeAll, expect, test } from 'vitest';
import { DEPLOYMENT, NGINX, serviceText } from '../testing/manifests.ts';
import { TestCli } from '../testing/test-cli.ts';

let cli: TestCli;

beforeAll(async () => {
  cli = await TestCli.start('--allow-external-ip=198.51.100.0/24');
  await cli.apply(`${NGINX}---\n${DEPLOYMENT}`);
  for (const [i, id] of ['a', 'b', 'c', 'd'].entries()) {
    await cli.register(`nginx/${id}`, 3001 + i, { address: `127.0.0.${i + 1}` });
  }
});
afterAll(() => cli.close());

/** One page, its events cut off. */
async function page(...argv: string[]): Promise<string> {
  return (await cli.out('describe', ...argv)).replace(/^Events:[^]*$/m, '');
}

test('a service with more endpoints than are shown, and its events', async () => {
  const text = await cli.out('describe', 'svc', 'nginx');
  expect(text.replaceAll(/127\.96\.1\.\d/g, '127.96.1.1')).toBe(
    `Name:                     nginx
Namespace:                default
Labels:                   app=nginx
Annotations:              <none>
Selector:                 app=nginx
Type:                     ClusterIP
IP Family Policy:         SingleStack
IP Families:              IPv4
IP:                       127.96.1.1
IPs:                      127.96.1.1
Port:                     <unset>  8080/TCP
TargetPort:               80/TCP
Endpoints:                127.0.0.1:3001,127.0.0.2:3002,127.0.0.3:3003 + 1 more...
Session Affinity:         None
Internal Traffic Policy:  Cluster
Events:
  Type    Reason      Age   From      Message
  ----    ------      ----  ----      -------
  Normal  Created     20m   registry  Service nginx was declared
  Normal  Registered  20m   a         it registered
  Normal  Registered  20m   b         it registered
  Normal  Registered  20m   c         it registered
  Normal  Registered  20m   d         it registered
`,
  );
});

test('named ports, external addresses, affinity, what a balancer is asked for', async () => {
  const spec = {
    type: 'LoadBalancer',
    clusterIP: '127.96.9.1',
    externalIPs: ['198.51.100.32'],
    loadBalancerIP: '127.0.0.80',
    loadBalancerSourceRanges: ['10.0.0.0/8'],
    sessionAffinity: 'ClientIP',
    ports: [
      { name: 'http', port: 80, targetPort: 'http', nodePort: 30080 },
      { name: 'dns', port: 53, protocol: 'UDP', nodePort: 30053, appProtocol: 'dns' },
    ],
  };
  await cli.apply(serviceText('lb', spec, { annotations: { a: 'b' } }));
  expect(await page('service/lb')).toBe(
    `Name:                        lb
Namespace:                   default
Labels:                      <none>
Annotations:                 a: b
Selector:                    <none>
Type:                        LoadBalancer
IP Family Policy:            SingleStack
IP Families:                 IPv4
IP:                          127.96.9.1
IPs:                         127.96.9.1
External IPs:                198.51.100.32
Desired LoadBalancer IP:     127.0.0.80
Port:                        http  80/TCP
TargetPort:                  http/TCP
NodePort:                    http  30080/TCP
Endpoints:                   <none>
Port:                        dns  53/UDP
TargetPort:                  53/UDP
AppProtocol:                 dns
NodePort:                    dns  30053/UDP
Endpoints:                   <none>
Session Affinity:            ClientIP
External Traffic Policy:     Cluster
Internal Traffic Policy:     Cluster
LoadBalancer Source Ranges:  10.0.0.0/8
`,
  );
});

test('what data planes report: addresses and conditions', async () => {
  await cli.apply(serviceText('told', { type: 'LoadBalancer', ports: [{ port: 80 }] }));
  const conditions = [
    { type: 'LoadBalancerBound', status: 'True', reason: 'Bound', message: 'on 127.0.0.80' },
  ] as const;
  const failed = { type: 'NodePortBound', status: 'False', reason: 'AddressInUse' } as const;
  await cli.rollcall.report('told', 'lb.one', {
    conditions: [...conditions, { ...failed, message: '127.0.0.1:30080: in use' }],
    loadBalancer: [{ ip: '127.0.0.80' }],
  });
  const text = await cli.out('describe', 'svc', 'told');
  expect(text).toContain('\nLoadBalancer Ingress:     127.0.0.80\n');
  expect(text).toContain(
    `Conditions:
  Type               Status  Reason        Reporter  Message
  ----               ------  ------        --------  -------
  LoadBalancerBound  True    Bound         lb.one    on 127.0.0.80
  NodePortBound      False   AddressInUse  lb.one    127.0.0.1:30080: in use
Events:
`,
  );
  expect(text).toMatch(/\n {2}Warning +Reported +20m +/);
  expect(await cli.out('get', 'svc', 'told', '--no-headers')).toContain('   127.0.0.80   80:');
});

test('two proxies of one host: each has its say under its own name', async () => {
  await cli.apply(serviceText('both', { ports: [{ port: 80 }] }));
  const say = (reporter: string, status: 'True' | 'False', reason: string, message: string) =>
    cli.rollcall.report('both', reporter, {
      conditions: [{ type: 'ClusterIPBound', status, reason, message }],
    });
  const conditions = async () =>
    /\n {2}---- .*\n((?: {2}ClusterIPBound.*\n)*)Events:/.exec(
      await cli.out('describe', 'svc', 'both'),
    )?.[1];
  await say('node-proxy.host', 'True', 'Bound', 'on 127.96.1.9:80');
  await say('node-proxy.host-7491', 'False', 'AddressInUse', '127.96.1.9:80: in use');
  const second = `  ClusterIPBound  False   AddressInUse  node-proxy.host-7491  127.96.1.9:80: in use\n`;
  expect(await conditions()).toBe(
    `  ClusterIPBound  True    Bound         node-proxy.host       on 127.96.1.9:80\n${second}`,
  );
  // One that changes its mind, or goes, takes nothing of the other along.
  await say('node-proxy.host', 'False', 'Failed', 'gone');
  expect(await conditions()).toBe(
    `  ClusterIPBound  False   Failed        node-proxy.host       gone\n${second}`,
  );
  await cli.rollcall.withdrawReport('both', 'node-proxy.host');
  expect(await conditions()).toBe(second);
});

test('an external name, a headless service, one without selector', async () => {
  await cli.apply(
    [
      serviceText('db', { type: 'ExternalName', externalName: 'my.database.example.com' }),
      serviceText('headless', { clusterIP: 'None', selector: { app: 'nginx' } }),
      serviceText('manual', { ports: [{ port: 80, targetPort: 9376 }] }),
      `apiVersion: v1\nkind: Endpoints\nmetadata:\n  name: manual\nsubsets:\n  - addresses:\n      - ip: 192.0.2.42\n    ports:\n      - port: 9376\n`,
    ].join('---\n'),
  );
  expect(await page('svc', 'db')).toBe(
    `Name:              db
Namespace:         default
Labels:            <none>
Annotations:       <none>
Selector:          <none>
Type:              ExternalName
IP Families:       <none>
IP:
IPs:               <none>
External Name:     my.database.example.com
Session Affinity:  None
`,
  );
  expect(await page('svc', 'headless')).toMatch(
    /IP Families: +IPv4\nIP: +None\nIPs: +None\nSession Affinity: +None\n/,
  );
  expect(await page('svc', 'manual')).toMatch(
    /\nSelector: +<none>\n[^]*\nEndpoints: +192\.0\.2\.42:9376\n/,
  );
  expect(await cli.out('describe', 'endpoints', 'manual')).toBe(
    `Name:         manual
Namespace:    default
Labels:       <none>
Annotations:  <none>
Subsets:
  Addresses:          192.0.2.42
  NotReadyAddresses:  <none>
  Ports:
    Name     Port  Protocol
    ----     ----  --------
    <unset>  9376  TCP

Events:  <none>
`,
  );
});

test('an instance', async () => {
  const more = { zone: 'b', address: '127.0.0.9', labels: { canary: 'yes' } };
  await cli.register('web/w', 8080, more);
  await cli.out('drain', 'web/w', '--reason=new kernel', '--author=ada');
  expect(await cli.out('describe', 'instance', 'web/w')).toBe(
    `Name:         w
Namespace:    default
Service:      web
Labels:       app=web
              canary=yes
Status:       Terminating
Ready:        false
Serving:      true
Terminating:  true
Tier:         <none>
IP:           127.0.0.9
Ports:        http  8080/TCP (containerPort 80)
Zone:         b
Weight:       100
Lease:        10000 ms
Override:     draining by ada: new kernel
Events:
  Type    Reason      Age   From  Message
  ----    ------      ----  ----  -------
  Normal  Registered  20m   w     it registered
  Normal  Overridden  20m   w     ada set it to draining: new kernel
`,
  );
});

test('a deployment counts instances', async () => {
  await cli.register('hello/h', 8081, { labels: { run: 'hello' } });
  const text = await cli.out('describe', 'deploy', 'hello-world');
  expect(text).toMatch(
    /\nSelector: +run=hello\nReplicas: +3 desired \| 1 updated \| 1 total \| 1 available \| 2 unavailable\nPod Template:\n {2}Labels: {2}run=hello\n {2}Containers:\n {3}hello-world:\n {4}Image: {2}hello-app:2\.0\n {4}Port: {3}8080\/TCP\nConditions:\n/,
  );
});

test('a service does not tell the events of a deployment of its name', async () => {
  await cli.out('expose', 'deploy', 'hello-world', '--port=80');
  const text = await cli.out('describe', 'svc', 'hello-world');
  expect(text).toContain('Service hello-world was declared');
  expect(text).not.toContain('Deployment hello-world');
  expect(await cli.out('describe', 'deploy', 'hello-world')).not.toContain('Service hello-world');
});

test('an endpoint slice', async () => {
  const [name = ''] = (
    await cli.out('get', 'endpointslices', '-l', 'app=nginx', '-o', 'name')
  ).split('\n');
  expect(await cli.out('describe', name)).toMatch(
    /AddressType: {2}IPv4\nPorts:\n {2}Name +Port +Protocol\n[^]*\nEndpoints:\n {2}- Addresses: {2}127\.0\.0\.\d\n {4}Conditions:\n {6}Ready: {4}true\n {4}Hostname: +<unset>\n {4}TargetRef: +Pod\/[a-d]\n/,
  );
});

test('several by a prefix; what is not there; nothing', async () => {
  const both = await cli.out('describe', 'svc', 'l');
  expect(both).toContain('Name:                        lb\n');
  expect((await cli.out('describe', 'svc', 'nginx', 'db')).split('\n\n\n')).toHaveLength(2);
  expect(await cli.run('describe', 'svc', 'zz')).toEqual({
    code: 1,
    out: '',
    err: 'Error from server (NotFound): services "zz" not found\n',
  });
  expect((await cli.run('describe', 'svc', '-n', 'empty')).err).toBe(
    'No resources found in empty namespace.\n',
  );
});
