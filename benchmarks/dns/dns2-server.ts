// A DNS server built with dns2, as in its README: node dns2-server.ts NAMES.json PACKAGE
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { AskedName } from './names.ts';

interface Question {
  readonly name: string;
}

interface Dns2 {
  readonly Packet: {
    readonly TYPE: { readonly A: number };
    readonly CLASS: { readonly IN: number };
    createResponseFromRequest(request: unknown): { readonly answers: object[] };
  };
  createServer(options: {
    readonly udp: true;
    readonly handle: (
      request: { readonly questions: readonly [Question] },
      send: (response: unknown) => void,
    ) => void;
  }): {
    listen(ports: { readonly udp: { readonly port: number; readonly address: string } }): Promise<{
      readonly udp: { readonly port: number };
    }>;
  };
}

const dns2 = createRequire(import.meta.url)(process.argv[3]!) as Dns2;
const { Packet } = dns2;
const names = JSON.parse(readFileSync(process.argv[2]!, 'utf8')) as readonly AskedName[];
const addresses = new Map(names.map((one) => [one.name, one.addresses]));

const server = dns2.createServer({
  udp: true,
  handle(request, send) {
    const response = Packet.createResponseFromRequest(request);
    const [{ name }] = request.questions;
    for (const address of addresses.get(name) ?? []) {
      response.answers.push({ name, type: Packet.TYPE.A, class: Packet.CLASS.IN, ttl: 5, address });
    }
    send(response);
  },
});
const { udp } = await server.listen({ udp: { port: 0, address: '127.0.0.1' } });
process.stdout.write(`listening ${udp.port}\n`);
