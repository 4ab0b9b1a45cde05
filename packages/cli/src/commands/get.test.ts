import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DEPLOYMENT, NGINX, serviceText } from '../testing/manifests.ts';
import { TestCli } from '../testing/test-cli.ts';

let cli: TestCli;

beforeAll(async () => {
  cli = await TestCli.start('--allow-external-ip=198.51.100.0/24');
  await cli.apply(`${NGINX}---\n${DEPLOYMENT}`);
  const ports = [{ port: 80, targetPort: 9376 }];
  const external = { type: 'ExternalName', externalName: 'my.database.example.com' };
  const slice = { 'kubernetes.io/service-name': 'manual' };
  await cli.apply(
    [
      serviceText('db', external, { namespace: 'prod' }),
      serviceText('lb', {
        type: 'LoadBalancer',
        selector: { app: 'idle' },
        clusterIP: '127.96.9.1',
        ports: [{ port: 80, nodePort: 30008 }],
      }),
      serviceText('np', {
        type: 'NodePort',
        clusterIP: '127.96.9.2',
        ports: [{ port: 80, nodePort: 30007 }],
      }),
      serviceText('ext', { clusterIP: '127.96.9.3', externalIPs: ['198.51.100.32'], ports }),
      serviceText('manual', { clusterIP: '127.96.9.4', ports }),
      serviceText('headless', { clusterIP: 'None', selector: { app: 'nginx' }, ports }),
      `${JSON.stringify({
        apiVersion: 'discovery.k8s.io/v1',
        kind: 'EndpointSlice',
        metadata: { name: 'manual-1', labels: slice },
        addressType: 'IPv4',
        ports: [{ port: 9376 }],
        endpoints: ['10.4.5.6', '10.1.2.3'].map((one) => ({ addresses: [one] })),
      })}\n`,
    ].join('---\n'),
  );
  const zone = { zone: 'b', labels: { app: 'nginx', run: 'hello' } };
  for (const [i, id] of ['a', 'b', 'c', 'd'].entries()) {
    await cli.register(`nginx/${id}`, 3001 + i, { address: `127.0.0.${i + 1}`, ...zone });
  }
  await cli.register('web/w', 8080, { address: '127.0.0.9', status: 'starting' });
});
afterAll(() => cli.close());

describe('tables', () => {
  test('services, in the order of their names', async () => {
    const out = await cli.out('get', 'svc');
    expect(out.replaceAll(/127\.96\.1\.\d/g, '127.96.1.1')).toBe(
      `NAME       TYPE           CLUSTER-IP   EXTERNAL-IP     PORT(S)        AGE
ext        ClusterIP      127.96.9.3   198.51.100.32   80/TCP         20m
headless   ClusterIP      None         <none>          80/TCP         20m
lb         LoadBalancer   127.96.9.1   <pending>       80:30008/TCP   20m
manual     ClusterIP      127.96.9.4   <none>          80/TCP         20m
nginx      ClusterIP      127.96.1.1   <none>          8080/TCP       20m
np         NodePort       127.96.9.2   <none>          80:30007/TCP   20m
rollcall   ClusterIP      127.96.0.1   <none>          PPPPP/TCP      20m
web        ClusterIP      None         <none>          8080/TCP       20m
`,
    );
    expect(await cli.out('get', 'services')).toBe(await cli.out('get', 'service'));
  });

  test('one service, with selector and labels as further columns', async () => {
    const wide = await cli.out('get', 'svc', 'nginx', '-o', 'wide', '--show-labels');
    expect(wide).toMatch(
      /^NAME    TYPE        CLUSTER-IP   EXTERNAL-IP   PORT\(S\)    AGE   SELECTOR    LABELS\nnginx   ClusterIP   127\.96\.1\.1   <none>        8080\/TCP   20m   app=nginx   app=nginx\n$/,
    );
    expect(await cli.out('get', 'svc', 'nginx', '-L', 'app', '--no-headers')).toMatch(
      /^nginx   ClusterIP   127\.96\.1\.1   <none>   8080\/TCP   20m   nginx\n$/,
    );
  });

  test('an external name in its namespace', async () => {
    expect(await cli.out('get', 'svc', '-n', 'prod')).toBe(
      `NAME   TYPE           CLUSTER-IP   EXTERNAL-IP               PORT(S)   AGE
db     ExternalName   <none>       my.database.example.com   <none>    20m
`,
    );
    expect(await cli.out('get', 'svc', '-A')).toContain('\nprod        db         ExternalName');
  });

  test('endpoints: three of them, and how many more', async () => {
    expect(await cli.out('get', 'ep', 'nginx')).toBe(
      `NAME    ENDPOINTS                                                  AGE
nginx   127.0.0.1:3001,127.0.0.2:3002,127.0.0.3:3003 + 1 more...   20m
`,
    );
    expect(await cli.out('get', 'endpoints', 'lb', '--no-headers')).toBe('lb   <none>   20m\n');
  });

  test('endpoint slices of a service', async () => {
    const of = (name: string) => ['-l', `kubernetes.io/service-name=${name}`];
    expect(await cli.out('get', 'endpointslices', ...of('manual'))).toBe(
      `NAME       ADDRESSTYPE   PORTS   ENDPOINTS           AGE
manual-1   IPv4          9376    10.4.5.6,10.1.2.3   20m
`,
    );
    const derived = await cli.out('get', 'endpointslice', '--no-headers', ...of('nginx'));
    expect(derived).toMatch(/^(nginx-[0-9a-f]+ {3}IPv4 {3}300\d {3}127\.0\.0\.\d {3}20m\n){4}$/);
  });

  test('instances, by every name', async () => {
    const plain = await cli.out('get', 'instances', '-l', 'app=nginx');
    expect(plain).toBe(
      `NAME   READY   STATUS    AGE
a      1/1     Running   20m
b      1/1     Running   20m
c      1/1     Running   20m
d      1/1     Running   20m
`,
    );
    for (const name of ['instance', 'pods', 'pod', 'po']) {
      expect(await cli.out('get', name, '-l', 'app=nginx')).toBe(plain);
    }
    expect(await cli.out('get', 'po', 'a', 'web/w', '-o', 'wide')).toBe(
      `NAME   READY   STATUS     AGE   IP          PORTS           SERVICE   ZONE
a      1/1     Running    20m   127.0.0.1   http=3001/TCP   nginx     b
w      0/1     Starting   20m   127.0.0.9   http=8080/TCP   web       <none>
`,
    );
  });

  test('deployments, namespaces, events, ingresses', async () => {
    expect(await cli.out('get', 'deploy', '-o', 'wide')).toBe(
      `NAME          READY   UP-TO-DATE   AVAILABLE   AGE   CONTAINERS    IMAGES          SELECTOR
hello-world   4/3     4            4           20m   hello-world   hello-app:2.0   run=hello
`,
    );
    expect(await cli.out('get', 'ns')).toBe(
      'NAME      STATUS   AGE\ndefault   Active   20m\nprod      Active   20m\n',
    );
    expect(await cli.out('get', 'events', '-n', 'prod')).toBe(
      `LAST SEEN   TYPE     REASON    OBJECT       MESSAGE
20m         Normal   Created   service/db   Service db was declared
`,
    );
    expect(await cli.run('get', 'ing')).toEqual({
      code: 0,
      out: '',
      err: 'No resources found in default namespace.\n',
    });
  });

  test('an ingress with the addresses that balancers report', async () => {
    const metadata = { name: 'shop', namespace: 'ing' };
    const backend = { service: { name: 'web', port: { number: 80 } } };
    const rules = ['a.test', 'b.test'].map((host) => ({ host }));
    await cli.apply(
      JSON.stringify({
        apiVersion: 'networking.k8s.io/v1',
        kind: 'Ingress',
        metadata,
        spec: { ingressClassName: 'rollcall', defaultBackend: backend, rules, tls: [{}] },
      }),
    );
    const params = { ns: 'ing', ingress: 'shop', reporter: 'lb' };
    const loadBalancer = [{ hostname: 'lb.test' }, { ip: '127.0.0.8', ports: [{ port: 80 }] }];
    await cli.rollcall.call('putIngressReport', { params, body: { loadBalancer } });
    expect(await cli.out('get', 'ing', '-n', 'ing')).toBe(
      `NAME   CLASS      HOSTS           ADDRESS            PORTS     AGE
shop   rollcall   a.test,b.test   127.0.0.8,lb....   80, 443   20m
`,
    );
    expect(await cli.out('get', 'ing', '-n', 'ing', '-o', 'wide')).toContain(
      '   127.0.0.8,lb.test   80, 443 ',
    );
    await cli.out('delete', 'ing', 'shop', '-n', 'ing');
  });

  test('several types: one table each, with qualified names', async () => {
    expect(await cli.out('get', 'svc/np', 'pod/a', 'svc/ext')).toBe(
      `NAME          TYPE        CLUSTER-IP   EXTERNAL-IP     PORT(S)        AGE
service/np    NodePort    127.96.9.2   <none>          80:30007/TCP   20m
service/ext   ClusterIP   127.96.9.3   198.51.100.32   80/TCP         20m

NAME         READY   STATUS    AGE
instance/a   1/1     Running   20m
`,
    );
    expect(await cli.out('get', 'svc/np', 'svc/ext')).not.toContain('service/');
    const all = await cli.out('get', 'all');
    for (const name of ['instance/a', 'service/nginx', 'deployment.apps/hello-world']) {
      expect(all).toContain(`\n${name} `);
    }
    expect(await cli.out('get', 'svc,ep', '-n', 'prod')).toContain('service/db');
  });
});

describe('choosing', () => {
  test('by labels and by fields', async () => {
    const names = async (...argv: string[]) => (await cli.out('get', ...argv, '-o', 'name')).trim();
    expect(await names('svc', '-l', 'app=nginx')).toBe('service/nginx');
    expect(await names('svc', '-l', 'app in (nginx,web)')).toBe('service/nginx');
    expect(await names('svc', '--field-selector', 'spec.type=NodePort')).toBe('service/np');
    expect(await names('po', '--field-selector=status.phase!=Running')).toBe('instance/w');
    expect(await names('po', '-l', 'app=nginx', '--sort-by={.spec.ports.http.port}')).toBe(
      'instance/a\ninstance/b\ninstance/c\ninstance/d',
    );
  });

  test('what is not there is told, and the rest is shown', async () => {
    const { code, out, err } = await cli.run('get', 'svc', 'np', 'nope');
    expect(code).toBe(1);
    expect(out).toContain('np     NodePort');
    expect(err).toBe('Error from server (NotFound): services "nope" not found\n');
    expect(await cli.run('get', 'svc', 'nope', '--ignore-not-found')).toEqual({
      code: 0,
      out: '',
      err: '',
    });
  });

  test.each([
    ['deploy', 'deployments.apps "nope" not found'],
    ['ing', 'ingresses.networking.k8s.io "nope" not found'],
    ['endpointslice', 'endpointslices.discovery.k8s.io "nope" not found'],
    ['ep', 'endpoints "nope" not found'],
    ['po', 'instances "nope" not found'],
    ['ns', 'namespaces "nope" not found'],
  ])('%s that is not there', async (type, message) => {
    const { code, err } = await cli.run('get', type, 'nope');
    expect({ code, err }).toEqual({
      code: 1,
      err: `Error from server (NotFound): ${message}\n`,
    });
  });

  test('nothing at all', async () => {
    expect((await cli.run('get', 'svc', '-n', 'empty')).err).toBe(
      'No resources found in empty namespace.\n',
    );
    expect((await cli.run('get', 'svc', '-A', '-l', 'no=such')).err).toBe('No resources found\n');
    expect((await cli.run('get', 'svc', '-n', 'empty', '-o', 'name')).err).toBe('');
  });

  test('an instance whose id two services have is to be named with one', async () => {
    const one = await cli.register('web/a', 8081);
    const { code, err } = await cli.run('get', 'pod', 'a');
    expect(code).toBe(1);
    expect(err).toContain('several services have it, expected one of nginx/a, web/a');
    expect(await cli.out('get', 'pod', 'web/a', '--no-headers')).toBe('a   1/1   Running   20m\n');
    await one.close();
  });
});

describe('formats', () => {
  test('yaml and json, of one and of several', async () => {
    const yaml = await cli.out('get', 'svc', 'np', '-o', 'yaml');
    expect(yaml).toMatch(/^apiVersion: v1\nkind: Service\nmetadata:\n {2}annotations:\n/);
    expect(yaml).toMatch(/ {2}creationTimestamp: "20.*Z"\n {2}name: np\n {2}namespace: default\n/);
    expect(yaml).toContain('  clusterIP: 127.96.9.2\n  clusterIPs:\n  - 127.96.9.2\n');
    const json = JSON.parse(await cli.out('get', 'svc', '-l', 'app=nginx', '-o=json')) as {
      kind: string;
      items: [];
    };
    expect(json).toMatchObject({ kind: 'List', apiVersion: 'v1' });
    expect(json.items).toHaveLength(1);
  });

  test.each([
    ["jsonpath='{.spec.ports[0].nodePort}'", '30007'],
    ['jsonpath={.spec.clusterIP}', '127.96.9.2'],
    ['go-template={{(index .spec.ports 0).nodePort}}', '30007'],
    ['custom-columns=NAME:.metadata.name,PORT:.spec.ports[*].port', 'NAME   PORT\nnp     80\n'],
    ['name', 'service/np\n'],
  ])('%s', async (format, expected) => {
    expect(await cli.out('get', 'svc', 'np', '-o', format)).toBe(expected);
  });

  test('what those who know pods look for', async () => {
    const path = 'jsonpath={range .items[*]}{.metadata.name}={.status.podIP}{"\\n"}{end}';
    expect(await cli.out('get', 'pods', '-l', 'app=nginx', '-o', path)).toBe(
      'a=127.0.0.1\nb=127.0.0.2\nc=127.0.0.3\nd=127.0.0.4\n',
    );
    const template = '{{range .items}}{{.metadata.name}}{{"\\n"}}{{end}}';
    const argv = ['get', 'pods', '-l', 'app=nginx', '-o', 'go-template', '--template', template];
    expect(await cli.out(...argv)).toBe('a\nb\nc\nd\n');
  });

  test('a format that is not known', async () => {
    const { code, err } = await cli.run('get', 'svc', '-o', 'xml');
    expect(code).toBe(2);
    expect(err).toMatch(/^error: unable to match a printer suitable for the output format "xml"/);
  });
});

describe('on a terminal', () => {
  const columns = 80;
  const line = (text: string, start: string) =>
    text.split('\n').find((one) => one.startsWith(start)) ?? '';

  test('rows fit its width; with -o wide and elsewhere they are whole', async () => {
    const ports = Array.from({ length: 12 }, (_, i) => `{name: p${i}, port: ${8000 + i}}`).join();
    await cli.apply(`
apiVersion: v1
kind: Service
metadata: {name: many-ports}
spec: {ports: [${ports}]}
`);
    const narrow = await cli.runWith({ isTerminal: true, columns }, 'get', 'svc');
    expect(line(narrow.out, 'many-ports')).toMatch(/8000\/TCP,.*… +20m$/);
    expect(line(narrow.out, 'many-ports').length).toBeLessThanOrEqual(columns);
    const wide = await cli.runWith({ isTerminal: true, columns }, 'get', 'svc', '-o', 'wide');
    expect(wide.out).toContain(',8011/TCP');
    expect(await cli.out('get', 'svc')).toContain(',8011/TCP');
  });

  test('a watch fits it too', async () => {
    await cli.register('web/a', 3001, { labels: { long: 'x'.repeat(60) } });
    const watch = cli.begin({ isTerminal: true, columns }, 'get', 'po', '-w', '--show-labels');
    await watch.printed(/\na .*…/);
    expect(await watch.stop()).toBe(0);
  });
});
