import type { SendQueues, SocketEnds } from '../io/send-queues.ts';
import type { Address, ConnectHandler, Transport } from '../io/transport.ts';

/** Returns the lengths that the test sets for every connection, and counts its reads. */
export class FakeSendQueues implements SendQueues {
  /** Called for each connection; -1 = unknown. */
  lengthOf: (connection: SocketEnds) => number = () => -1;
  looks = 0;

  async measure(connections: readonly SocketEnds[]): Promise<readonly number[]> {
    const lengths = connections.map((connection) => this.lengthOf(connection));
    this.looks++;
    return lengths;
  }
}

/** The same transport with other send queues. */
export function withSendQueues(transport: Transport, sendQueues: SendQueues): Transport {
  return {
    name: transport.name,
    sendQueues,
    listen: (...given) => transport.listen(...given),
    connect: (address: Address, handler: ConnectHandler) => transport.connect(address, handler),
  };
}
