import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort, type TestProcess, until } from '@rollcall/testkit';
import { HttpLoad, requestBytes } from '../support/http-load.ts';
import { versionOf } from '../support/machine.ts';
import { CORE, startPinned, startPinnedNode } from '../support/placement.ts';

const BALANCER = fileURLToPath(new URL('../../packages/lb/src/main.ts', import.meta.url));
const NODE_PROXY = fileURLToPath(new URL('node-proxy.ts', import.meta.url));

/** One of the compared proxies, on the core under test. */
export interface Proxy {
  readonly name: string;
  readonly version: string | undefined;
  readonly port: number;
  /** The process that forwards. */
  readonly pid: number;
  close(): Promise<unknown>;
}

export interface Surroundings {
  /** For configurations and logs. */
  readonly folder: string;
  readonly registryUrl: string;
  /** Ports of the instances. */
  readonly backends: readonly number[];
}

/** Ours, with access log, metrics and P2C on. `io`: how it does its I/O. */
export async function startBalancer(
  { folder, registryUrl }: Surroundings,
  io: 'auto' | 'net',
): Promise<Proxy> {
  const name = `rollcall-lb, ${io}`;
  const file = join(folder, `lb-${io}.yaml`);
  writeFileSync(
    file,
    `registry: { url: ${registryUrl} }
listeners:
  - { name: web, port: 0, default: { targetGroup: orders } }
targetGroups:
  orders: { service: orders, policy: p2c }
admin: { port: 0 }
accessLog: ${join(folder, `lb-${io}.log`)}
io: ${io}
`,
  );
  const child = startPinnedNode(CORE.tested, BALANCER, ['--config', file]);
  const [, port] = await child.printed(/"web":"http:\/\/127\.0\.0\.1:(\d+)"/);
  return proxyOf(name, undefined, Number(port), child);
}

/** Undefined if it is not installed. */
export async function startNginx({ folder, backends }: Surroundings): Promise<Proxy | undefined> {
  const version = versionOf('sh', ['-c', 'nginx -v 2>&1']);
  if (version === undefined) return undefined;
  const port = await freePort();
  const file = join(folder, 'nginx.conf');
  // One process: master and worker would be two, and the master does nothing.
  writeFileSync(
    file,
    `daemon off; master_process off; pid ${folder}/nginx.pid; error_log ${folder}/nginx-error.log;
events { worker_connections 20000; }
http {
  access_log ${folder}/nginx.log combined;
  client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy; fastcgi_temp_path ${folder}/f;
  uwsgi_temp_path ${folder}/u; scgi_temp_path ${folder}/s;
  keepalive_requests 1000000000; keepalive_timeout 300s;
  upstream orders {
    least_conn; keepalive 256; keepalive_requests 1000000000; keepalive_timeout 300s;
${backends.map((one) => `    server 127.0.0.1:${one};`).join('\n')}
  }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / {
      proxy_pass http://orders; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; proxy_set_header X-Forwarded-Proto $scheme;
    }
  }
}
`,
  );
  const child = startPinned(CORE.tested, 'nginx', ['-c', file]);
  return answering(proxyOf('nginx', version, port, child));
}

/** With one thread; undefined if it is not installed. */
export async function startHaproxy({ folder, backends }: Surroundings): Promise<Proxy | undefined> {
  const version = versionOf('haproxy', ['-v']);
  if (version === undefined) return undefined;
  const port = await freePort();
  const file = join(folder, 'haproxy.cfg');
  // It logs to a syslog socket or to its own output: the shell writes that to a file.
  writeFileSync(
    file,
    `global
  nbthread 1
  maxconn 12000
  no strict-limits
  log stdout format raw local0
defaults
  mode http
  log global
  option httplog
  option forwardfor
  timeout connect 5s
  timeout client 300s
  timeout server 300s
  timeout http-keep-alive 300s
listen orders
  bind 127.0.0.1:${port} backlog 4096
  balance leastconn
  http-reuse always
${backends.map((one, at) => `  server s${at} 127.0.0.1:${one}`).join('\n')}
`,
  );
  const command = `exec haproxy -f ${file} -db >> ${join(folder, 'haproxy.log')}`;
  const child = startPinned(CORE.tested, 'sh', ['-c', command]);
  return answering(proxyOf('haproxy', version, port, child));
}

/** A proxy for Node.js from npm. */
export async function startNodeProxy(
  { folder, backends }: Surroundings,
  name: 'http-proxy' | 'reply-from',
): Promise<Proxy> {
  const log = join(folder, `${name}.log`);
  const child = startPinnedNode(CORE.tested, NODE_PROXY, [name, log, ...backends.map(String)]);
  const [, port] = await child.printed(/port (\d+)\n/);
  return proxyOf(name, undefined, Number(port), child);
}

const proxyOf = (
  name: string,
  version: string | undefined,
  port: number,
  child: TestProcess,
): Proxy => ({ name, version, port, pid: child.pid, close: () => child.stop() });

async function answering(proxy: Proxy): Promise<Proxy> {
  await until(async () => {
    const load = new HttpLoad({ port: proxy.port, connections: 1, status: 200 });
    try {
      await load.open();
      await load.runCount(1, () => requestBytes('GET', '/'));
      return true;
    } catch {
      return false;
    } finally {
      load.close();
    }
  });
  return proxy;
}
