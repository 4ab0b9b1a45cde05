// An instance of the greeter: on the roll with its gRPC port, and off it without a failed call.
import { type sendUnaryData, Server, ServerCredentials, type ServerUnaryCall } from '@grpc/grpc-js';
import { Rollcall, serveUntilDrained } from '@rollcall/client-sdk';
import { GREETER, type Greeting } from './greeter.ts';

const { env } = process;
const server = new Server();
server.addService(GREETER, {
  greet: ({ request }: ServerUnaryCall<Greeting, Greeting>, answer: sendUnaryData<Greeting>) =>
    answer(null, { text: `hello ${request.text}, from ${process.pid}` }),
});
const address = `${env['HOST'] ?? '127.0.0.1'}:${env['PORT'] ?? 0}`;
const port = await new Promise<number>((resolve, reject) => {
  server.bindAsync(address, ServerCredentials.createInsecure(), (error, bound) =>
    error === null ? resolve(bound) : reject(error),
  );
});

const rollcall = new Rollcall({ url: env['ROLLCALL_URL'] ?? 'http://127.0.0.1:7400' });
const registration = await rollcall.register({ service: 'greeter', ports: { grpc: port } });
console.log(`greeter at port ${port}`);

await serveUntilDrained(server, registration); // until SIGTERM or SIGINT
await rollcall.close();
console.log('closed');
