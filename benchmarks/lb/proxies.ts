import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort, TestAuthority, type TestProcess, until } from '@rollcall/testkit';
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
  /** Over TLS; undefined: it is not compared there. */
  readonly tlsPort?: number | undefined;
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
  /** File with the key and the certificate of the proxies. */
  readonly pem: string;
}

/** A certificate and its key for `localhost`, in one file of the folder. */
export function writeCertificate(folder: string): string {
  const { cert, key } = new TestAuthority().issue({ names: ['localhost'] });
  const file = join(folder, 'localhost.pem');
  writeFileSync(file, `${cert}${key}`);
  return file;
}

/** Ours, with access log, metrics and P2C on. `io`: how it does its I/O. */
export async function startBalancer(
  { folder, registryUrl, pem }: Surroundings,
  io: 'auto' | 'net',
): Promise<Proxy> {
  const name = `rollcall-lb, ${io}`;
  const file = join(folder, `lb-${io}.yaml`);
  writeFileSync(
    file,
    `registry: { url: ${registryUrl} }
listeners:
  - { name: web, port: 0, default: { targetGroup: orders } }
  - name: tls
    port: 0
    protocol: https
    tls: { certificates: [{ cert: ${pem}, key: ${pem} }] }
    default: { targetGroup: orders }
targetGroups:
  orders: { service: orders, policy: p2c }
admin: { port: 0 }
accessLog: ${join(folder, `lb-${io}.log`)}
io: ${io}
`,
  );
  const child = startPinnedNode(CORE.tested, BALANCER, ['--config', file]);
  const [, port] = await child.printed(/"web":"http:\/\/127\.0\.0\.1:(\d+)"/);
  const [, tlsPort] = await child.printed(/"tls":"https:\/\/127\.0\.0\.1:(\d+)"/);
  return { ...proxyOf(name, undefined, Number(port), child), tlsPort: Number(tlsPort) };
}

/** Undefined if it is not installed. */
export async function startNginx({
  folder,
  backends,
  pem,
}: Surroundings): Promise<Proxy | undefined> {
  const version = versionOf('sh', ['-c', 'nginx -v 2>&1']);
  if (version === undefined) return undefined;
  const [port, tlsPort] = [await freePort(), await freePort()];
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
    listen 127.0.0.1:${tlsPort} ssl backlog=4096;
    ssl_certificate ${pem}; ssl_certificate_key ${pem}; ssl_protocols TLSv1.2 TLSv1.3;
    ssl_session_cache shared:SSL:10m;
    location / {
      proxy_pass http://orders; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; proxy_set_header X-Forwarded-Proto $scheme;
    }
  }
}
`,
  );
  const child = startPinned(CORE.tested, 'nginx', ['-c', file]);
  return { ...(await answering(proxyOf('nginx', version, port, child))), tlsPort };
}

/** With one thread; undefined if it is not installed. */
export async function startHaproxy({
  folder,
  backends,
  pem,
}: Surroundings): Promise<Proxy | undefined> {
  const version = versionOf('haproxy', ['-v']);
  if (version === undefined) return undefined;
  const [port, tlsPort] = [await freePort(), await freePort()];
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
  bind 127.0.0.1:${tlsPort} ssl crt ${pem} backlog 4096
  balance leastconn
  http-reuse always
${backends.map((one, at) => `  server s${at} 127.0.0.1:${one}`).join('\n')}
`,
  );
  const command = `exec haproxy -f ${file} -db >> ${join(folder, 'haproxy.log')}`;
  const child = startPinned(CORE.tested, 'sh', ['-c', command]);
  return { ...(await answering(proxyOf('haproxy', version, port, child))), tlsPort };
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
