// Calls the greeter by its name: calls are spread over its instances, and follow them when they come and go.
import { credentials, type ServiceError } from '@grpc/grpc-js';
import { Rollcall } from '@rollcall/client-sdk';
import { registerGrpcResolver } from '@rollcall/client-sdk/grpc';
import { GreeterClient, type Greeting } from './greeter.ts';

const rollcall = new Rollcall({ url: process.env['ROLLCALL_URL'] ?? 'http://127.0.0.1:7400' });
registerGrpcResolver(rollcall);
const client = new GreeterClient('rollcall:///greeter', credentials.createInsecure());

const greet = (text: string) =>
  new Promise<Greeting>((resolve, reject) => {
    client['greet']?.({ text }, (error: ServiceError | null, reply: Greeting) =>
      error === null ? resolve(reply) : reject(error),
    );
  });

for (let i = 0; i < 6; i++) {
  const { text } = await greet('world');
  console.log(text);
}
client.close();
await rollcall.close();
