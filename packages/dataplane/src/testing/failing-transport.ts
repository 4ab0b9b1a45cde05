import type { ConnectHandler, Connection, Transport } from '../io/transport.ts';

/** A transport whose connects to the host `short` fail with an error of this machine. */
export function failingLocally(transport: Transport, code: string): Transport {
  return {
    name: transport.name,
    sendQueues: transport.sendQueues,
    listen: (...given) => transport.listen(...given),
    connect: (address, handler) =>
      address.host === 'short' ? fail(handler, code) : transport.connect(address, handler),
  };
}

function fail(handler: ConnectHandler, code: string): Connection {
  const nothing = (): void => {};
  let isClosed = false;
  setImmediate(() => {
    if (!isClosed) handler.onClose(Object.assign(new Error(`connect ${code}`), { code }));
  });
  const close = (): void => {
    isClosed = true;
  };
  return {
    remoteAddress: '',
    localAddress: '',
    localPort: 0,
    remotePort: 0,
    write: () => true,
    pause: nothing,
    resume: nothing,
    shutdown: nothing,
    close,
    abort: close,
  };
}
