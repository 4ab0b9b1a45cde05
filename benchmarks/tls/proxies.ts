import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort, TestAuthority, type TestProcess, until } from '@rollcall/testkit';
import { CORE, startPinned, startPinnedNode } from '../support/placement.ts';
import { exchangesKept } from './exchanges.ts';

const fileOf = (name: string) => fileURLToPath(new URL(name, import.meta.url));

const NGINX = 'nginx';

/** One of the compared proxies. */
export interface TlsProxy {
  readonly name: 'handle' | 'net' | 'nginx';
  readonly version: string | undefined;
  readonly port: number;
  readonly pid: number;
  close(): Promise<void>;
}

/** Files of a certificate and its key. */
export interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
}

export function writeCertificate(folder: string): CertificateFiles {
  const { cert, key } = new TestAuthority().issue({ names: ['bench.test'] });
  const files = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
  writeFileSync(files.cert, cert);
  writeFileSync(files.key, key);
  return files;
}

async function portOf(child: TestProcess): Promise<number> {
  const [line] = await child.printed(/\{.*"msg":"listening"\}\n/);
  return (JSON.parse(line) as { port: number }).port;
}

export async function startTarget(): Promise<Omit<TlsProxy, 'name' | 'version'>> {
  const child = startPinnedNode(CORE.rest, fileOf('target.ts'));
  const close = async () => void (await child.stop());
  return { port: await portOf(child), pid: child.pid, close };
}

/** The data plane over one way of reading and writing TLS. */
export async function startPlane(
  name: 'handle' | 'net',
  { cert, key }: CertificateFiles,
  target: number,
): Promise<TlsProxy> {
  const args = [name, cert, key, String(target)];
  const child = startPinnedNode(CORE.tested, fileOf('plane.ts'), args);
  const close = async () => void (await child.stop());
  return { name, version: undefined, port: await portOf(child), pid: child.pid, close };
}

/** nginx with one worker process; undefined if it is not installed. */
export async function startNginx(
  folder: string,
  { cert, key }: CertificateFiles,
  target: number,
): Promise<TlsProxy | undefined> {
  const { status, stderr } = spawnSync(NGINX, ['-v'], { encoding: 'utf8' });
  if (status !== 0) return undefined;
  const version = stderr.trim();
  const port = await freePort();
  const places = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((what) => `${what}_temp_path ${join(folder, what)};`)
    .join('\n  ');
  const config = `daemon off;
worker_processes 1;
pid ${join(folder, 'nginx.pid')};
error_log stderr;
events { worker_connections 1024; }
http {
  access_log off;
  keepalive_requests 1000000000;
  ${places}
  upstream target { server 127.0.0.1:${target}; keepalive 64; }
  server {
    listen 127.0.0.1:${port} ssl;
    ssl_certificate ${cert};
    ssl_certificate_key ${key};
    location / {
      proxy_pass http://target;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    }
  }
}
`;
  const file = join(folder, 'nginx.conf');
  writeFileSync(file, config);
  const child = startPinned(CORE.tested, NGINX, ['-e', 'stderr', '-c', file]);
  await until(() => exchangesKept(port, 1, 1));
  const close = async () => void (await child.stop());
  return { name: 'nginx', version, port, pid: workerOf(child.pid), close };
}

/** The process that does the work is the only child of the one that was started. */
function workerOf(pid: number): number {
  const [worker = ''] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ');
  return Number(worker);
}
