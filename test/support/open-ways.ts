// What can be open when an instance dies: every way of calling that has a stream.
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { Client, credentials, type ServiceError, status } from '@grpc/grpc-js';
import type { Rollcall } from '@rollcall/client-sdk';
import { createHttpAgent } from '@rollcall/client-sdk/http';
import { createDispatcher } from '@rollcall/client-sdk/undici';
import axios from 'axios';
import got from 'got';
import {
  type Dispatcher,
  EventSource,
  fetch as undiciFetch,
  WebSocket as UndiciWebSocket,
} from 'undici';
import { WebSocket } from 'ws';
import { NAMES } from './names.ts';

/** One stream: `opened` is called with what came first. Resolves with what its end looked like. */
type Way = (service: string, opened: (first: unknown) => void) => Promise<string>;

/** The error, and what is behind it: `TypeError terminated <- UND_ERR_SOCKET`. */
function told(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code } = error as NodeJS.ErrnoException;
  const own = code ?? `${error.name} ${error.message}`;
  return error.cause instanceof Error ? `${own} <- ${told(error.cause)}` : own;
}

export async function readAll(body: AsyncIterable<unknown>, opened: (first: unknown) => void) {
  try {
    for await (const chunk of body) opened(chunk);
    return 'the end';
  } catch (error) {
    return told(error);
  }
}

/** An answer of node:http. */
async function answerEnd(answer: IncomingMessage, opened: (first: unknown) => void) {
  answer.once('data', opened);
  const error = await new Promise((resolve) => answer.once('error', resolve));
  return `${told(error)}, complete ${answer.complete}`;
}

interface SocketEvents {
  addEventListener(name: 'error', on: () => void): void;
  addEventListener(name: 'message', on: (event: { readonly data: unknown }) => void): void;
  addEventListener(
    name: 'close',
    on: (event: { readonly code: number; readonly wasClean: boolean }) => void,
  ): void;
}

/** A WebSocket. */
function socketEnd(socket: SocketEvents, opened: (first: unknown) => void): Promise<string> {
  let errors = 0;
  socket.addEventListener('error', () => errors++);
  socket.addEventListener('message', ({ data }) => opened(data));
  return new Promise((resolve) =>
    socket.addEventListener('close', ({ code, wasClean }) =>
      resolve(`${errors} errors, close ${code}, wasClean ${wasClean}`),
    ),
  );
}

type Ways = Readonly<Record<string, Way>>;

interface Means {
  readonly client: Rollcall;
  readonly agent: ReturnType<typeof createHttpAgent>;
  readonly dispatcher: Dispatcher;
  /** Gets what ends what a way leaves open. */
  readonly endings: (() => unknown)[];
}

function answers({ client, agent, dispatcher }: Means): Ways {
  return {
    'service.request': async (name, opened) =>
      readAll((await client.service(name).request('/')).body, opened),
    'service.request, http2': async (name, opened) => {
      const reply = await client.service(name, { port: 'http2', http2: true }).request('/');
      return readAll(reply.body, opened);
    },
    'service.fetch': async (name, opened) =>
      readAll((await client.service(name).fetch('/')).body!, opened),
    'fetch of undici': async (name, opened) =>
      readAll((await undiciFetch(`http://${name}.rollcall/`, { dispatcher })).body!, opened),
    'node:http': async (name, opened) => {
      const request = get(`http://${name}.rollcall/`, { agent });
      const errors: string[] = [];
      request.on('error', (error) => errors.push(`request ${told(error)}`));
      const [answer] = (await once(request, 'response')) as [IncomingMessage];
      const end = await answerEnd(answer, opened);
      return [...errors, end].join(', ');
    },
    axios: async (name, opened) => {
      const config = { httpAgent: agent, responseType: 'stream' } as const;
      const { data } = await axios.get<IncomingMessage>(`http://${name}.rollcall/`, config);
      return answerEnd(data, opened);
    },
    got: async (name, opened) => {
      const stream = got.stream(`http://${name}.rollcall/`, { agent: { http: agent } });
      return readAll(stream, opened);
    },
  };
}

function connections({ client, agent, dispatcher, endings }: Means): Ways {
  return {
    WebSocket: async (name, opened) =>
      socketEnd(new UndiciWebSocket(`ws://${name}.rollcall/`, { dispatcher }), opened),
    'WebSocket, of Node.js': async (name, opened) => {
      const options = { dispatcher } as unknown as undefined;
      return socketEnd(new globalThis.WebSocket(`ws://${name}.rollcall/`, options), opened);
    },
    ws: async (name, opened) =>
      socketEnd(new WebSocket(`ws://${name}.rollcall/`, { agent }), opened),
    EventSource: async (name, opened) => {
      const source = new EventSource(`http://${name}.rollcall/events`, { node: { dispatcher } });
      endings.push(() => source.close());
      source.addEventListener('message', ({ data }) => opened(data));
      await once(source, 'error');
      const { readyState } = source;
      const [{ data }] = (await once(source, 'message')) as [{ data: string }];
      return `error, readyState ${readyState}, then ${data}`;
    },
    gRPC: async (name, opened) => {
      const caller = new Client(`rollcall:///${name}`, credentials.createInsecure());
      endings.push(() => caller.close());
      const { path, requestSerialize, responseDeserialize } = NAMES;
      const empty = Buffer.alloc(0);
      const call = caller.makeServerStreamRequest(
        path,
        requestSerialize,
        responseDeserialize,
        empty,
      );
      call.once('data', opened);
      const [error] = (await once(call, 'error')) as [ServiceError];
      return `${error.code} ${status[error.code]}`;
    },
    'pick()': async (name, opened) => {
      const picked = client.service(name, { port: 'tcp' }).pick();
      if (picked.kind === 'none') throw picked.error;
      const socket = connect(picked.endpoint.port, picked.endpoint.address);
      const ended = readAll(socket, opened);
      return ended.finally(() => picked.done('failed'));
    },
  };
}

/** By name. `endings` gets what ends what they leave open. */
export function openWays(client: Rollcall, endings: (() => unknown)[]): Ways {
  const agent = createHttpAgent(client);
  endings.push(() => agent.destroy());
  const dispatcher = createDispatcher(client);
  const means = { client, agent, dispatcher, endings };
  return { ...answers(means), ...connections(means) };
}
