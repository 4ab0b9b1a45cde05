import { Client, credentials } from '@grpc/grpc-js';
import type { Rollcall } from '@rollcall/client-sdk';
import { registerGrpcResolver } from '@rollcall/client-sdk/grpc';
import { Agent, type Dispatcher, WebSocket } from 'undici';
import { NAME } from './grpc-service.ts';

/** A way of calling `orders`: makes one call with this id, and rejects when it fails. */
export interface Way {
  readonly name: string;
  call(id: string): Promise<void>;
  close(): void;
}

/** The close code by which an instance says that it leaves. */
const GOING_AWAY = 1001;

function check(answer: string, id: string): void {
  if (answer !== id) throw new Error(`call ${id} was answered with ${answer.slice(0, 100)}`);
}

type Request = (
  id: string,
  options: { method: Dispatcher.HttpMethod; headers: Record<string, string>; body?: string },
) => Promise<Dispatcher.ResponseData>;

function overHttp(name: string, request: Request, method: 'GET' | 'POST'): Way {
  const sent = (id: string) => ({
    method,
    headers: { 'x-call': id },
    ...(method === 'POST' ? { body: id } : {}),
  });
  return {
    name,
    call: async (id) => check(await (await request(id, sent(id))).body.text(), id),
    close() {},
  };
}

function overGrpc(rollcall: Rollcall): Way {
  registerGrpcResolver(rollcall);
  const client = new Client('rollcall:///orders', credentials.createInsecure());
  const call = (id: string) =>
    new Promise<void>((resolve, reject) => {
      const same = (bytes: Buffer) => bytes;
      client.makeUnaryRequest(NAME.path, same, same, Buffer.from(id), (error, reply) => {
        if (error !== null) reject(error);
        else if (String(reply) === id) resolve();
        else reject(new Error(`call ${id} was answered with ${String(reply)}`));
      });
    });
  return { name: 'gRPC', call, close: () => client.close() };
}

/** One WebSocket, which is opened again when the instance leaves; what it had not answered is sent again. */
function overWebSocket(dispatcher: Dispatcher): Way {
  let socket: WebSocket | undefined;
  const open = () =>
    new Promise<WebSocket>((resolve, reject) => {
      const opening = new WebSocket('ws://orders.rollcall/', { dispatcher });
      opening.addEventListener('open', () => resolve(opening));
      opening.addEventListener('error', ({ error }) => reject(error));
    });
  const ask = (asked: WebSocket, id: string) =>
    new Promise<string | undefined>((resolve, reject) => {
      const end = new AbortController();
      const { signal } = end;
      const done = (answer: string | undefined) => {
        end.abort();
        resolve(answer);
      };
      asked.addEventListener('message', ({ data }) => done(String(data)), { signal });
      const onClose = ({ code }: { code: number }) =>
        code === GOING_AWAY ? done(undefined) : reject(new Error(`closed with ${code}`));
      asked.addEventListener('close', onClose, { signal });
      if (asked.readyState === WebSocket.OPEN) asked.send(id);
    });
  return {
    name: 'WebSocket',
    async call(id) {
      for (;;) {
        if (socket?.readyState !== WebSocket.OPEN) socket = await open();
        const answer = await ask(socket, id);
        if (answer !== undefined) return check(answer, id);
        socket = undefined;
      }
    },
    close: () => socket?.close(),
  };
}

/** Every way of calling. */
export function waysOf(rollcall: Rollcall): Way[] {
  const plain = rollcall.service('orders', { port: 'http' });
  const h2 = rollcall.service('orders', { port: 'h2', http2: true });
  const request: Request = (_, options) => plain.request('/', options);
  const dispatcher = new Agent().compose(rollcall.interceptor());
  return [
    overHttp('HTTP/1.1 GET', request, 'GET'),
    overHttp('HTTP/1.1 POST', request, 'POST'),
    overHttp('HTTP/2', (_, options) => h2.request('/', options), 'GET'),
    overGrpc(rollcall),
    overWebSocket(dispatcher),
  ];
}
