// A chat room of WebSockets. When the instance leaves, each client is told to go elsewhere, and none is cut off.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Rollcall, serveInstance } from '@rollcall/client-sdk';
import { WebSocketServer } from 'ws';

const { env } = process;
const server = createServer((_request, response) => response.end('a chat\n'));
const sockets = new WebSocketServer({ server });
sockets.on('connection', (socket) => {
  socket.on('error', (error) => console.error(error.message));
  socket.addEventListener('message', ({ data }) => {
    if (typeof data === 'string') socket.send(`${process.pid} heard ${data}`);
  });
});
server.listen(Number(env['PORT'] ?? 0), env['HOST'] ?? '127.0.0.1');

const rollcall = new Rollcall({ url: env['ROLLCALL_URL'] ?? 'http://127.0.0.1:7400' });
const instance = await serveInstance(rollcall, server, {
  service: 'chat',
  drain: {
    // Called when callers know that this instance leaves: who connects again finds another one.
    closeStreams() {
      for (const socket of sockets.clients) socket.close(1001, 'going away');
    },
  },
});
console.log(`chat at port ${(server.address() as AddressInfo).port}`);

const { cutOff } = await instance.drained; // after SIGTERM or SIGINT
await rollcall.close();
console.log(`closed, ${cutOff} cut off`);
