import type { ApplyReply, ManifestList, ManifestObject, Problem } from '@rollcall/contract';
import { expect } from 'vitest';
import type { RegistryServer } from '../compose.ts';

/** The endpoints and the declaration of a service. */
export interface Resolved {
  declared: {
    type: string;
    clusterIPs: string[];
    externalName: string;
    ports: { nodePort: number }[];
  } | null;
  endpoints: { id: string; address: string; port: number; portName: string; ready: boolean }[];
}

export interface Reply {
  readonly status: number;
  readonly body: unknown;
}

const OBJECTS = '/v1/namespaces/default/manifests';

/** The API of one server, for tests of manifests. */
export class ManifestApi {
  readonly #server: Pick<RegistryServer, 'url'>;

  constructor(server: Pick<RegistryServer, 'url'>) {
    this.#server = server;
  }

  async call(
    method: string,
    path: string,
    body?: string,
    type = 'application/yaml',
  ): Promise<Reply> {
    const reply = await fetch(`${this.#server.url}${path}`, {
      method,
      ...(body === undefined ? {} : { body, headers: { 'content-type': type } }),
    });
    const text = await reply.text();
    return { status: reply.status, body: text === '' ? undefined : (JSON.parse(text) as unknown) };
  }

  async apply(text: string, query = ''): Promise<ApplyReply> {
    const { status, body } = await this.call('POST', `/v1/apply${query}`, text);
    expect(body).not.toHaveProperty('code');
    expect(status).toBe(200);
    return body as ApplyReply;
  }

  async refused(text: string, query = ''): Promise<Problem> {
    const { status, body } = await this.call('POST', `/v1/apply${query}`, text);
    expect(status).toBeGreaterThanOrEqual(400);
    return body as Problem;
  }

  /** `kind` or `kind/name` in the namespace `default`. */
  object(method: string, path: string, body?: string, type?: string): Promise<Reply> {
    return this.call(method, `${OBJECTS}/${path}`, body, type);
  }

  async read(path: string): Promise<ManifestObject> {
    return (await this.object('GET', path)).body as ManifestObject;
  }

  async list(kind: string, query = ''): Promise<ManifestObject[]> {
    return ((await this.object('GET', `${kind}${query}`)).body as ManifestList).items;
  }

  async resolve(service: string, namespace = 'default'): Promise<Resolved> {
    const path = `/v1/namespaces/${namespace}/services/${service}/endpoints`;
    return (await this.call('GET', path)).body as Resolved;
  }

  /** `address:port` of each endpoint. */
  async places(service: string): Promise<string[]> {
    const { endpoints } = await this.resolve(service);
    return endpoints.map(({ address, port }) => `${address}:${port}`);
  }

  /** `service/id` in the namespace `default`. */
  async register(path: string, body: object): Promise<void> {
    const [service, id] = path.split('/');
    const { status } = await this.call(
      'PUT',
      `/v1/namespaces/default/services/${service}/instances/${id}`,
      JSON.stringify({ ttlMs: 60_000, ...body }),
      'application/json',
    );
    expect(status).toBe(200);
  }
}

export const specOf = (object: ManifestObject | null | undefined): Record<string, unknown> =>
  object?.['spec'] as Record<string, unknown>;

export const portsOf = (object: ManifestObject | null | undefined): Record<string, unknown>[] =>
  specOf(object)['ports'] as Record<string, unknown>[];

/** A manifest of a service, as JSON. */
export const serviceText = (name: string, spec: object): string =>
  JSON.stringify({ apiVersion: 'v1', kind: 'Service', metadata: { name }, spec });

export const NGINX = serviceText('nginx', {
  selector: { app: 'nginx' },
  ports: [{ port: 8080, targetPort: 80 }],
});
