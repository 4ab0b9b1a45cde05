// One instance of `orders`, as a process of its own: HTTP/1.1 with WebSockets, HTTP/2 and gRPC. It writes down each call
// that it served.
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createHttp2Server } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { parseArgs } from 'node:util';
import { Server as GrpcServer, ServerCredentials } from '@grpc/grpc-js';
import { Rollcall, serveUntilDrained } from '@rollcall/client-sdk';
import { WebSocket, WebSocketServer } from 'ws';
import { GRPC_SERVICE } from './grpc-service.ts';

const { values } = parseArgs({
  options: {
    registry: { type: 'string', default: '' },
    id: { type: 'string', default: '' },
    /** File for the ids of the calls that it served. */
    ledger: { type: 'string', default: '' },
    /** Longest time that it works on a call, in ms. */
    work: { type: 'string', default: '5' },
    /** Leaves as most programs do: off the roll, then `server.close`. */
    plain: { type: 'boolean', default: false },
  },
});

const served: string[] = [];
process.on('exit', () => writeFileSync(values.ledger, served.join('\n')));

/** Works on a call, and answers it with its id. */
function serve(id: string, answer: () => void): void {
  served.push(id);
  setTimeout(answer, Math.random() * Number(values.work));
}

const http = createServer((request, response) => {
  let id = '';
  request.on('data', (chunk: Buffer) => (id += chunk.toString()));
  request.on('end', () => {
    const call = id === '' ? String(request.headers['x-call']) : id;
    serve(call, () => response.end(call));
  });
}).listen(0, '127.0.0.1');

const sockets = new WebSocketServer({ server: http });
sockets.on('connection', (socket) => {
  socket.on('message', (data: Buffer) => {
    // What comes after the close was sent gets no answer, and is sent again to somebody else.
    if (socket.readyState !== WebSocket.OPEN) return;
    served.push(data.toString());
    socket.send(data.toString());
  });
});

const http2 = createHttp2Server((request, response) => {
  const call = String(request.headers['x-call']);
  serve(call, () => response.end(call));
}).listen(0, '127.0.0.1');

await Promise.all([once(http, 'listening'), once(http2, 'listening')]);

const grpc = new GrpcServer();
grpc.addService(GRPC_SERVICE, {
  name: ({ request }: { request: Buffer }, done: (error: null, reply: Buffer) => void) =>
    serve(request.toString(), () => done(null, request)),
});
const grpcPort = await new Promise<number>((resolve, reject) => {
  const done = (error: Error | null, port: number) => (error ? reject(error) : resolve(port));
  grpc.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), done);
});

const portOf = (server: { address(): unknown }) => (server.address() as AddressInfo).port;
const rollcall = new Rollcall({ url: values.registry });
const registration = await rollcall.register({
  service: 'orders',
  id: values.id,
  ports: {
    http: { port: portOf(http) },
    h2: { port: portOf(http2) },
    grpc: { port: grpcPort },
  },
});
process.stdout.write('up\n');

if (values.plain) {
  await once(process, 'SIGTERM');
  await rollcall.close();
  http2.close();
  grpc.forceShutdown();
  http.close(() => process.exit());
  await once(http, 'close');
}
const closeStreams = () => {
  for (const socket of sockets.clients) socket.close(1001, 'going away');
};
const drained = await Promise.all([
  serveUntilDrained(http, registration, { closeStreams }),
  serveUntilDrained(http2, registration),
  serveUntilDrained(grpc, registration),
]);
await rollcall.close();
process.stdout.write(`${JSON.stringify(drained)}\n`);
