// `npm start`: a registry, a load balancer, a node proxy, a DNS server, three instances of a small service and a client
// that calls it, each in a separate process as in real life. Ctrl-C ends them all.
import { createSocket } from 'node:dgram';
import { mkdtempSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Rollcall } from '@rollcall/client-sdk';
import type { CallReport } from '../caller/main.ts';
import { Child, type ChildOptions } from './child.ts';
import { LiveLine } from './live-line.ts';

const HELP = `Usage: npm start -- [options]

  --registry-port PORT   [default: 7400] (ROLLCALL_PORT)
  --lb-port PORT         [default: 8080] (LB_PORT)
  --lb-admin-port PORT   [default: 7480] (LB_ADMIN_PORT)
  --dns-port PORT        [default: 8053] (DNS_PORT)
  --node-port PORT       of the declared service, 30000 to 32767 [default: any free one] (NODE_PORT)
  --service-cidr CIDR    where cluster IPs come from [default: 127.96.0.0/16] (ROLLCALL_SERVICE_CIDR)
  --store STORE          memory or redis://host:port [default: memory] (ROLLCALL_STORE)
  --reload               start a program again when its source changes, as \`npm run dev\` does
`;

const { env } = process;
const text = (name: string, fallback: string) =>
  ({ type: 'string', default: env[name] ?? fallback }) as const;
const { values } = parseArgs({
  options: {
    'registry-port': text('ROLLCALL_PORT', '7400'),
    'lb-port': text('LB_PORT', '8080'),
    'lb-admin-port': text('LB_ADMIN_PORT', '7480'),
    'dns-port': text('DNS_PORT', '8053'),
    'node-port': text('NODE_PORT', ''),
    'service-cidr': text('ROLLCALL_SERVICE_CIDR', '127.96.0.0/16'),
    store: text('ROLLCALL_STORE', 'memory'),
    reload: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) {
  process.stdout.write(HELP);
  process.exit(0);
}

const ports = ['registry-port', 'lb-port', 'lb-admin-port', 'dns-port'] as const;
for (const option of ports) {
  const problem = await portProblem(values[option]);
  if (problem === undefined) continue;
  console.error(
    `port ${values[option]} ${problem}; choose another one: npm start -- --${option} PORT`,
  );
  process.exit(1);
}

const url = `http://127.0.0.1:${values['registry-port']}`;
const balancer = `http://127.0.0.1:${values['lb-port']}`;
const admin = `http://127.0.0.1:${values['lb-admin-port']}`;
const logs = mkdtempSync(join(tmpdir(), 'rollcall-'));
const children: Child[] = [];
const line = new LiveLine();
let isStopping = false;
const hasBegunToStop = () => isStopping;

const registry = start({
  name: 'registry',
  file: 'packages/registry-server/src/main.ts',
  args: [
    '--port',
    values['registry-port'],
    '--store',
    values.store,
    '--service-cidr',
    values['service-cidr'],
  ],
});
const balancerPorts = { LB_PORT: values['lb-port'], LB_ADMIN_PORT: values['lb-admin-port'] };
start({
  name: 'lb',
  file: 'packages/lb/src/main.ts',
  args: ['--config', 'examples/stack/lb.yaml'],
  env: { ROLLCALL_URL: url, ...balancerPorts },
});
const proxy = start({
  name: 'node-proxy',
  file: 'packages/node-proxy/src/main.ts',
  args: ['--registry', url, '--metrics', 'off'],
});
const dns = start({
  name: 'dns',
  file: 'packages/dns-server/src/main.ts',
  args: ['--registry', url, '--port', values['dns-port'], '--metrics', 'off'],
});
const instances = ['a', 'b', 'c'].map((letter) =>
  start({
    name: `hello-${letter}`,
    file: 'examples/hello/main.ts',
    env: { ROLLCALL_URL: url, HELLO_ID: `hello-${letter}` },
  }),
);
const caller = start({
  name: 'caller',
  file: 'examples/caller/main.ts',
  env: { ROLLCALL_URL: url },
});
caller.process.on('message', (report: CallReport) => line.called(report));

// A terminal's Ctrl-C arrives twice: from the terminal, and through npm.
let stopping: Promise<void> | undefined;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    stopping ??= stop(0);
  });
}

const rollcall = new Rollcall({ url });
const hello = rollcall.service('hello');
hello.on('change', ({ endpoints }) => line.saw(endpoints));
await allUp();
const service = hasBegunToStop() ? undefined : await declare();
if (service !== undefined) explain(service);
line.begin();

function start(options: Omit<ChildOptions, 'logs'>): Child {
  // The caller reports over a channel that a program with a watcher around it does not have.
  const isReloaded = values.reload && options.name !== 'caller';
  const child = new Child({ ...options, logs, isReloaded });
  children.push(child);
  child.process.once('exit', (code, signal) => {
    if (isStopping) return;
    line.say(`${child.name} (pid ${child.pid}) ended: ${signal ?? `exit code ${code}`}`);
    if (code !== 0 && code !== null) {
      line.say(child.tail);
      stopping ??= stop(1);
    }
  });
  return child;
}

/** Waits until the SDK sees three instances and the balancer answers. */
async function allUp(): Promise<void> {
  // Rejects because it is closed when the stack ends before it is up.
  await hello.ready().catch((error: unknown) => {
    if (!hasBegunToStop()) throw error;
  });
  for (;;) {
    if (hasBegunToStop()) return;
    const isAnswered = await fetch(balancer).then(
      async (response) => (await response.text(), response.ok),
      () => false,
    );
    if (isAnswered && hello.endpoints().length >= instances.length) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

interface Declared {
  readonly clusterIP: string;
  readonly nodePort: number;
}

/** Declares the service in front of the instances, and waits until its address answers, if this machine can bind it. */
async function declare(): Promise<Declared> {
  const manifest = readFileSync(new URL('hello.yaml', import.meta.url), 'utf8');
  const wanted = values['node-port'];
  const body = wanted === '' ? manifest : `${manifest.trimEnd()}\n      nodePort: ${wanted}\n`;
  const { results } = await rollcall.call('apply', { body });
  const spec = results[0]?.object?.['spec'] as {
    clusterIP: string;
    ports: { nodePort: number }[];
  };
  const declared = { clusterIP: spec.clusterIP, nodePort: spec.ports[0]?.nodePort ?? 0 };
  const params = { ns: 'default', svc: 'hello' };
  for (;;) {
    if (hasBegunToStop()) return declared;
    const { reports } = await rollcall.call('listReports', { params });
    if (reports.length > 0) return declared;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function explain({ clusterIP, nodePort }: Declared): void {
  if (isStopping) return;
  const pid = instances[0]?.pid;
  console.log(`
Rollcall runs: a registry, a load balancer, a node proxy, a DNS server, three instances of the service 'hello', a client.

  registry       ${url}   (API: ${url}/docs)
  load balancer  ${balancer}   (targets: ${admin}/targets)
  service hello  cluster IP ${clusterIP}:8080, node port ${nodePort}
  DNS            127.0.0.1:${values['dns-port']}
  output         ${logs}

Things to try in another terminal:

  curl ${balancer}/                          # through the load balancer
  curl http://${clusterIP}:8080/             # through the cluster IP
  curl http://127.0.0.1:${nodePort}/             # through the node port
  dig +short @127.0.0.1 -p ${values['dns-port']} hello     # by name
  ROLLCALL_URL=${url} npm run --silent rollcall -- describe svc hello
  curl ${url}/v1/namespaces/default/services/hello/endpoints
  kill -9 ${pid}      # hello-a dies; 'ROLLCALL_URL=${url} npm run hello' brings another one

Ctrl-C ends everything. The registry is pid ${registry.pid}.
`);
}

async function stop(code: number): Promise<void> {
  isStopping = true;
  line.end();
  await rollcall.close();
  // Leaving processes notify the others through the registry, so the registry ends last.
  const planes = ['lb', proxy.name, dns.name];
  for (const group of [['caller'], instances.map(({ name }) => name), planes, ['registry']]) {
    const leaving = children.filter(({ name }) => group.includes(name));
    await Promise.all(leaving.map((child) => child.stop(8_000)));
  }
  process.exit(code);
}

/** Why a port cannot be listened on, if it cannot. */
function portProblem(port: string): Promise<string | undefined> {
  const number = Number(port);
  if (!Number.isInteger(number) || number < 1 || number > 65_535) {
    return Promise.resolve('is no port number (1 to 65535)');
  }
  return new Promise((resolve) => {
    const fail = ({ code }: NodeJS.ErrnoException) =>
      resolve(code === 'EADDRINUSE' ? 'is taken' : `cannot be used (${code})`);
    const probe = createServer();
    probe.once('error', fail);
    probe.listen(number, '127.0.0.1', () => {
      const datagrams = createSocket('udp4');
      datagrams.once('error', fail);
      // DNS queries also arrive over UDP.
      datagrams.bind(number, '127.0.0.1', () => datagrams.close());
      datagrams.once('close', () => probe.close(() => resolve(undefined)));
    });
  });
}
