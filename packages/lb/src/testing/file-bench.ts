import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type LoadBalancer, type LoadBalancerParts, startLoadBalancer } from '../compose.ts';
import { ConfigFile } from '../config/config-source.ts';
import type { ReloadResult } from '../reload/reloader.ts';

/** The parts of a configuration file, in YAML. */
export interface FileParts {
  readonly listeners: string;
  readonly targetGroups?: string;
  /** Further keys, a line each. */
  readonly more?: string;
}

function textOf({ listeners, targetGroups = '{}', more = '' }: FileParts): string {
  const others = more.includes('admin:') ? '' : 'admin: { port: 0 }\n';
  const log = more.includes('accessLog:') ? '' : 'accessLog: off\n';
  const registry = more.includes('registry:') ? '' : 'registry: { url: "http://127.0.0.1:1" }\n';
  return `${registry}listeners: ${listeners}\ntargetGroups: ${targetGroups}\n${others}${log}${more}\n`;
}

/** A balancer whose configuration is in a file. */
export class FileBench {
  readonly folder = mkdtempSync(join(tmpdir(), 'rollcall-lb-'));
  readonly file = join(this.folder, 'lb.yaml');
  readonly lines: string[] = [];
  balancer!: LoadBalancer;

  /** It ends with the test. */
  static async start(parts: FileParts, more: LoadBalancerParts = {}): Promise<FileBench> {
    const bench = new FileBench();
    bench.write(parts);
    const source = new ConfigFile(bench.file, {});
    const log = (line: string) => void bench.lines.push(line);
    bench.balancer = await startLoadBalancer(source.load().config, { log, source, ...more });
    onTestFinished(async () => {
      await bench.balancer.close();
      rmSync(bench.folder, { recursive: true });
    });
    return bench;
  }

  get admin(): string {
    return this.balancer.addresses.admin;
  }

  url(listener = 'web'): string {
    return this.balancer.addresses.listeners[listener]!;
  }

  port(listener = 'web'): number {
    return Number(new URL(this.url(listener)).port);
  }

  /** Replaces the file, as an editor does. */
  write(parts: FileParts | string): void {
    const next = `${this.file}.next`;
    writeFileSync(next, typeof parts === 'string' ? parts : textOf(parts));
    renameSync(next, this.file);
  }

  async apply(parts: FileParts | string): Promise<ReloadResult> {
    this.write(parts);
    return (await this.balancer.reload('test'))!;
  }

  async readyz(): Promise<Record<string, unknown>> {
    return (await (await fetch(`${this.admin}/readyz`)).json()) as Record<string, unknown>;
  }
}

/** A target that ends with the test. Returns its port. */
export async function startTarget(answer: string | RequestListener): Promise<number> {
  const listener: RequestListener =
    typeof answer === 'string'
      ? (request, response) => {
          request.resume().on('end', () => response.end(answer));
        }
      : answer;
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return (server.address() as AddressInfo).port;
}
