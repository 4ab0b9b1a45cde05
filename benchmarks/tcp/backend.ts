// Answers every 64 bytes with one kilobyte: node backend.ts
import { createServer } from 'node:net';
import { ANSWER_BYTES } from './exchanges.ts';

const ANSWER = Buffer.alloc(ANSWER_BYTES, 'a');
const server = createServer({ noDelay: true }, (socket) => {
  let due = 64;
  socket.on('error', () => {});
  socket.on('data', (chunk) => {
    for (due -= chunk.length; due <= 0; due += 64) socket.write(ANSWER);
  });
});
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as { port: number };
  console.log(JSON.stringify({ port, msg: 'listening' }));
});
process.on('SIGTERM', () => process.exit(0));
