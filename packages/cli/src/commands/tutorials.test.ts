import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { DEPLOYMENT } from '../testing/manifests.ts';
import { TestCli } from '../testing/test-cli.ts';

/*
 * What readers of the tutorials of Kubernetes Services type, word for word, with instances where the tutorials have
 * pods.
 */

let cli: TestCli;
let server: Server;

beforeEach(async () => {
  cli = await TestCli.start();
  server = createServer((request, reply) => {
    reply.statusCode = request.url === '/app.yaml' ? 200 : 404;
    reply.end(
      DEPLOYMENT.replaceAll('run: hello', 'run: my-nginx').replaceAll('hello-world', 'my-nginx'),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterEach(async () => {
  await cli.close();
  server.close();
});

const out = (line: string) => cli.out(...line.split(' '));
const url = (path: string) => `http://127.0.0.1:${(server.address() as AddressInfo).port}/${path}`;

async function register(service: string, count: number, labels: Record<string, string>) {
  for (let i = 1; i <= count; i++) {
    const address = `127.0.0.${i}`;
    await cli.register(`${service}/${service}-${i}`, 3000 + i, { address, labels });
  }
}

test('connecting applications with services', async () => {
  await register('my-nginx', 2, { run: 'my-nginx' });
  expect(await out(`apply -f ${url('app.yaml')}`)).toBe('deployment.apps/my-nginx created\n');
  expect(await out('get pods -l run=my-nginx -o wide')).toMatch(
    /\nmy-nginx-2 +1\/1 +Running +20m +127\.0\.0\.2 /,
  );
  expect(await out('get pods -l run=my-nginx -o custom-columns=POD_IP:.status.podIPs')).toBe(
    'POD_IP\n[{"ip":"127.0.0.1"}]\n[{"ip":"127.0.0.2"}]\n',
  );
  expect(await out('expose deployment/my-nginx --port=80')).toBe('service/my-nginx exposed\n');
  expect(await out('get svc my-nginx')).toMatch(
    /^NAME +TYPE +CLUSTER-IP +EXTERNAL-IP +PORT\(S\) +AGE\nmy-nginx +ClusterIP +127\.96\.1\.1 +<none> +80\/TCP +20m\n$/,
  );
  expect(await out('describe svc my-nginx')).toContain(
    '\nEndpoints:                127.0.0.1:3001,127.0.0.2:3002\n',
  );
  expect(await out('get endpointslices -l kubernetes.io/service-name=my-nginx')).toMatch(
    /^NAME +ADDRESSTYPE +PORTS +ENDPOINTS +AGE\n(my-nginx-[0-9a-f]+ +IPv4 +300\d +127\.0\.0\.\d +20m\n){2}$/,
  );
  expect(await out('scale deployment my-nginx --replicas=0')).toBe(
    'deployment.apps/my-nginx scaled\n',
  );
  await cli.out('patch', 'svc', 'my-nginx', '-p', '{"spec": {"type": "LoadBalancer"}}');
  expect(await out('get svc my-nginx')).toMatch(
    /LoadBalancer +127\.96\.1\.1 +<pending> +80:30\d{3}\/TCP/,
  );
  expect(await out('get svc my-nginx -o yaml')).toMatch(/\n {2}- nodePort: 30\d{3}\n/);
  expect(await out('delete deployments,svc my-nginx')).toBe(
    'deployment.apps "my-nginx" deleted\nservice "my-nginx" deleted\n',
  );
});

test('using a service to expose your app', async () => {
  await register('bootcamp', 1, { app: 'kubernetes-bootcamp' });
  await cli.run('create', 'deployment', 'kubernetes-bootcamp', '--image=bootcamp:v1');
  expect(await out('get services')).toMatch(/^NAME +TYPE/);
  expect(await out('expose deployment/kubernetes-bootcamp --type=NodePort --port 8080')).toBe(
    'service/kubernetes-bootcamp exposed\n',
  );
  expect(await out('describe services/kubernetes-bootcamp')).toMatch(
    /\nNodePort: +<unset> +30\d{3}\/TCP\n/,
  );
  const template = 'go-template={{(index .spec.ports 0).nodePort}}';
  expect(await cli.out('get', 'services/kubernetes-bootcamp', '-o', template)).toMatch(/^30\d{3}$/);
  expect(await out('get pods -l app=kubernetes-bootcamp')).toMatch(/\nbootcamp-1 +1\/1 +Running/);
  expect(await out('get services -l app=kubernetes-bootcamp')).toMatch(
    /\nkubernetes-bootcamp +NodePort/,
  );
  const names = '{{range .items}}{{.metadata.name}}{{"\\n"}}{{end}}';
  expect(
    await cli.out(
      'get',
      'pods',
      '-l',
      'app=kubernetes-bootcamp',
      '-o',
      'go-template',
      '--template',
      names,
    ),
  ).toBe('bootcamp-1\n');
  expect(await out('label pods bootcamp-1 version=v1')).toBe('instance/bootcamp-1 labeled\n');
  expect(await out('describe pods bootcamp-1')).toMatch(/\n +version=v1\n/);
  expect(await out('get pods -l version=v1')).toContain('bootcamp-1');
  expect(await out('delete service -l app=kubernetes-bootcamp')).toBe(
    'service "kubernetes-bootcamp" deleted\n',
  );
  expect(await out('get deployments')).toMatch(/\nkubernetes-bootcamp +1\/1 +1 +1 +20m\n/);
});

test('exposing an external IP address', async () => {
  await register('hello', 5, { run: 'hello' });
  await cli.apply(DEPLOYMENT.replace('replicas: 3', 'replicas: 5'));
  expect(await out('get deployments hello-world')).toMatch(/\nhello-world +5\/5 +5 +5 +20m\n$/);
  expect(await out('describe deployments hello-world')).toContain(
    'Replicas:           5 desired | 5 updated | 5 total | 5 available | 0 unavailable\n',
  );
  await out('expose deployment hello-world --type=LoadBalancer --name=my-service');
  await cli.rollcall.report('my-service', 'lb.one', { loadBalancer: [{ ip: '127.0.0.80' }] });
  expect(await out('get services my-service')).toMatch(
    /LoadBalancer +127\.96\.1\.1 +127\.0\.0\.80 +8080:30\d{3}\/TCP/,
  );
  const described = await out('describe services my-service');
  expect(described).toMatch(/\nLoadBalancer Ingress: +127\.0\.0\.80\n/);
  expect(described).toMatch(
    /\nEndpoints: +127\.0\.0\.1:8080,127\.0\.0\.2:8080,127\.0\.0\.3:8080 \+ 2 more\.\.\.\n/,
  );
  expect(await out('get pods --output=wide')).toMatch(
    /\nhello-5 +1\/1 +Running +20m +127\.0\.0\.5/,
  );
});

test('a file that cannot be had by its URL', async () => {
  const missing = await cli.run('apply', '-f', url('nope.yaml'));
  expect(missing).toEqual({
    code: 1,
    out: '',
    err: `error: unable to read URL "${url('nope.yaml')}", server reported 404 Not Found, status code=404\n`,
  });
  const refused = await cli.run('apply', '-f', 'http://127.0.0.1:1/x.yaml');
  expect(refused.code).toBe(1);
  expect(refused.err).toMatch(/^error: unable to read URL "http:\/\/127\.0\.0\.1:1\/x\.yaml": /);
});
