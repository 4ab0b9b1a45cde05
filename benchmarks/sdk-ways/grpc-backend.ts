// Three gRPC servers in one process that answer with what was sent. Prints their ports.
import { type sendUnaryData, Server, ServerCredentials, type ServerUnaryCall } from '@grpc/grpc-js';
import { ECHO } from './echo.ts';

const ports: number[] = [];
for (let i = 0; i < 3; i++) {
  const server = new Server();
  server.addService(
    { echo: ECHO },
    {
      echo: ({ request }: ServerUnaryCall<Buffer, Buffer>, done: sendUnaryData<Buffer>) =>
        done(null, request),
    },
  );
  const port = await new Promise<number>((resolve, reject) => {
    const done = (error: Error | null, bound: number) => (error ? reject(error) : resolve(bound));
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), done);
  });
  ports.push(port);
}
process.stdout.write(`ports ${ports.join(' ')}\n`);
