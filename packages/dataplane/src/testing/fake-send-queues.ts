import type { SendQueues, SocketEnds } from '../io/send-queues.ts';
import type { Address, ConnectHandler, Transport } from '../io/transport.ts';

/** Says what the test wants it to say of every connection, and counts how often it was asked. */
export class FakeSendQueues implements SendQueues {
  /** Asked for each connection; -1: not known. */
  lengthOf: (connection: SocketEnds) => number = () => -1;
  looks = 0;

  async read(connections: readonly SocketEnds[]): Promise<readonly number[]> {
    const lengths = connections.map((connection) => this.lengthOf(connection));
    this.looks++;
    return lengths;
  }
}

/** A transport that is asked for its send queues elsewhere. */
export function withSendQueues(transport: Transport, sendQueues: SendQueues): Transport {
  return {
    name: transport.name,
    sendQueues,
    listen: (...given) => transport.listen(...given),
    connect: (address: Address, handler: ConnectHandler) => transport.connect(address, handler),
  };
}
