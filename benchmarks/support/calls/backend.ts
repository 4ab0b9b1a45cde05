// Three HTTP servers in one process with a fixed response of 1 KB, which hardly parse the request: the backend must not
// be the limit. Prints their ports.
import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';

const BODY_BYTES = 1_024;
const END = Buffer.from('\r\n\r\n');

const reply = Buffer.from(
  `HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: ${BODY_BYTES}\r\n\r\n${'x'.repeat(BODY_BYTES)}`,
);

const ports: number[] = [];
for (let i = 0; i < 3; i++) {
  const server = createServer({ noDelay: true }, (socket) => {
    socket.on('error', () => socket.destroy());
    // A request without a body ends where its head ends; heads arrive whole because they are small.
    socket.on('data', (bytes) => {
      for (let at = bytes.indexOf(END); at !== -1; at = bytes.indexOf(END, at + END.length))
        socket.write(reply);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  ports.push((server.address() as AddressInfo).port);
}
process.stdout.write(`ports ${ports.join(' ')}\n`);
