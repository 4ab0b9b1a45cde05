import type { ClientHttp2Session, ClientHttp2Stream } from 'node:http2';
import { grpcFrame, openCall, openGrpc, varintField } from '../support/grpc.ts';
import { HttpLoad, requestBytes } from '../support/http-load.ts';
import { inTurn } from './roll.ts';

const CONNECTIONS = 64;
const TTL_S = 3_000;

/** Grants `count` leases; returns their ids. */
export async function grantLeases(port: number, count: number): Promise<string[]> {
  const ids: string[] = [];
  const onBody = (body: string) => void ids.push((JSON.parse(body) as { ID: string }).ID);
  const load = new HttpLoad({ port, connections: CONNECTIONS, status: 200, onBody });
  await load.open();
  await load.runCount(count, () => requestBytes('POST', '/v3/lease/grant', { TTL: TTL_S }));
  load.close();
  return ids;
}

/**
 * Keeps leases alive over etcd's own protocol: a few streams on a few connections, with
 * several messages in progress on each.
 */
export class GrpcKeepAlive {
  readonly #next: () => Buffer;
  readonly #window: number;
  readonly #sessions: ClientHttp2Session[] = [];
  readonly #calls: ClientHttp2Stream[] = [];
  #answered = 0;
  #isRunning = false;
  #underWay = 0;
  #onIdle: (() => void) | undefined;

  constructor(ids: readonly string[], window: number) {
    this.#next = inTurn(ids.map((id) => grpcFrame(varintField(1, BigInt(id)))));
    this.#window = window;
  }

  async open(port: number, streams: number, connections: number): Promise<void> {
    for (let i = 0; i < connections; i++) this.#sessions.push(await openGrpc(port));
    for (let i = 0; i < streams; i++) {
      const call = openCall(
        this.#sessions[i % connections]!,
        '/etcdserverpb.Lease/LeaseKeepAlive',
        {
          // The answer for an unknown lease lacks field 3, the TTL.
          onMessage: (message) => {
            if (message[message.length - 3] !== 0x18) throw new Error('etcd forgot a lease');
          },
          onChunk: (messages) => this.#answer(call, messages),
        },
      );
      this.#calls.push(call);
    }
  }

  async runFor(ms: number): Promise<number> {
    const before = this.#answered;
    this.#isRunning = true;
    for (const call of this.#calls) this.#send(call, this.#window);
    setTimeout(() => (this.#isRunning = false), ms);
    await new Promise<void>((resolve) => (this.#onIdle = resolve));
    return this.#answered - before;
  }

  close(): void {
    for (const session of this.#sessions) session.destroy();
  }

  #answer(call: ClientHttp2Stream, messages: number): void {
    this.#answered += messages;
    this.#underWay -= messages;
    if (this.#isRunning) this.#send(call, messages);
    else if (this.#underWay === 0) this.#onIdle?.();
  }

  #send(call: ClientHttp2Stream, messages: number): void {
    this.#underWay += messages;
    call.write(
      messages === 1 ? this.#next() : Buffer.concat(Array.from({ length: messages }, this.#next)),
    );
  }
}
