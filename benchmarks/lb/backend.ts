// Three HTTP servers in one process, which hardly parse the request: the backend must not be the limit. `/mb` is answered
// with 1 MB, all else with 1 KB. Prints their ports.
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';

const END = Buffer.from('\r\n\r\n');
const BIG = Buffer.from('GET /mb ');

const answerOf = (bytes: number) =>
  Buffer.from(
    `HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: ${bytes}\r\n\r\n${'x'.repeat(bytes)}`,
  );
const small = answerOf(1_024);
const big = answerOf(1_048_576);

const ports: number[] = [];
for (let i = 0; i < 3; i++) {
  const server = createServer({ noDelay: true }, (socket) => {
    socket.on('error', () => socket.destroy());
    // A request without a body ends where its head ends; heads arrive whole because they are small.
    socket.on('data', (bytes) => {
      let start = 0;
      for (let at = bytes.indexOf(END); at !== -1; at = bytes.indexOf(END, start)) {
        const isBig = BIG.compare(bytes, start, start + BIG.length) === 0;
        socket.write(isBig ? big : small);
        start = at + END.length;
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  ports.push((server.address() as AddressInfo).port);
}
process.stdout.write(`ports ${ports.join(' ')}\n`);
