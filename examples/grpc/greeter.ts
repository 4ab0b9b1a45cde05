// The service, as generated code would describe it. Messages are JSON here, so that the example needs no compiler.
import { makeGenericClientConstructor, type ServiceDefinition } from '@grpc/grpc-js';

export interface Greeting {
  readonly text: string;
}

const serialize = (message: Greeting) => Buffer.from(JSON.stringify(message));
const deserialize = (bytes: Buffer) => JSON.parse(bytes.toString()) as Greeting;

export const GREETER = {
  greet: {
    path: '/example.Greeter/Greet',
    requestStream: false,
    responseStream: false,
    requestSerialize: serialize,
    requestDeserialize: deserialize,
    responseSerialize: serialize,
    responseDeserialize: deserialize,
  },
} as const satisfies ServiceDefinition;

export const GreeterClient = makeGenericClientConstructor(GREETER, 'Greeter');
