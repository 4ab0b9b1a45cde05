// An instance whose answers do not end: what its callers have open when it dies. It says its process id in each of them.
import { createServer, type RequestListener } from 'node:http';
import { createServer as createHttp2Server } from 'node:http2';
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net';
import { Server as GrpcServer, ServerCredentials, type ServerWritableStream } from '@grpc/grpc-js';
import { Rollcall } from '@rollcall/client-sdk';
import { WebSocketServer } from 'ws';
import { NAMES } from './names.ts';

const name = `${process.pid}`;

const answer: RequestListener = (request, response) => {
  if (request.url === '/whole') {
    response.end(name);
    return;
  }
  const isEvents = request.url === '/events';
  response.writeHead(200, isEvents ? { 'content-type': 'text/event-stream' } : {});
  response.write(isEvents ? `data: ${name}\n\n` : name);
};

async function portOf(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

const web = createServer(answer);
new WebSocketServer({ server: web }).on('connection', (socket) => socket.send(name));
const web2 = createHttp2Server(answer as unknown as Parameters<typeof createHttp2Server>[1]);
const plain = createTcpServer((socket) => {
  socket.on('error', () => {});
  socket.write(name);
});
const calls = new GrpcServer();
calls.addService(
  { names: NAMES },
  { names: (call: ServerWritableStream<Buffer, Buffer>) => call.write(Buffer.from(name)) },
);
const grpc = await new Promise<number>((resolve, reject) => {
  const done = (error: Error | null, port: number) =>
    error === null ? resolve(port) : reject(error);
  calls.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), done);
});
const [http, http2, tcp] = [await portOf(web), await portOf(web2), await portOf(plain)];

const rollcall = new Rollcall({ url: process.env['ROLLCALL_URL'] ?? '' });
await rollcall.register({ service: 'streams', ports: { http, http2, tcp, grpc } });
console.log(`registered ${JSON.stringify({ http, http2, tcp, grpc })}`);
