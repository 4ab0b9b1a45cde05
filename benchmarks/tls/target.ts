// Answers every request with one kilobyte: node target.ts
import { createServer } from 'node:net';
import { ANSWER } from './exchanges.ts';

const server = createServer({ noDelay: true }, (socket) => {
  socket.on('error', () => {});
  socket.on('data', (chunk: Buffer) => {
    for (let at = 0; (at = chunk.indexOf('\r\n\r\n', at)) !== -1; at += 4) socket.write(ANSWER);
  });
});
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as { port: number };
  console.log(JSON.stringify({ port, msg: 'listening' }));
});
process.on('SIGTERM', () => process.exit(0));
