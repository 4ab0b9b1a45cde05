import type { Socket } from 'node:net';
import type { Runtime } from '../base/runtime.ts';
import type { CallOptions } from '../api/options.ts';
import type { EndpointChannel } from '../calls/endpoint-channel.ts';
import type { OnSocket } from './agent-internals.ts';

interface ConnectWait {
  readonly socket: Socket;
  readonly readyEvent: 'connect' | 'secureConnect';
  readonly channel: EndpointChannel;
  readonly calls: CallOptions;
  readonly runtime: Runtime;
  readonly onSocket: OnSocket;
}

/** Tells of a new connection once it is made, or cannot be made in time. */
export function whenConnected({ socket, readyEvent, channel, ...wait }: ConnectWait): void {
  const { onSocket } = wait;
  const { host, port } = channel;
  const ms = wait.calls.connectTimeoutMs;
  const late = wait.runtime.after(ms, () => {
    const message = `connect ETIMEDOUT ${host}:${port} after ${ms} ms`;
    socket.destroy(Object.assign(new Error(message), { code: 'ETIMEDOUT' }));
  });
  const onReady = () => {
    late.cancel();
    socket.off('error', onError);
    onSocket(null, socket);
  };
  const onError = (error: Error) => {
    late.cancel();
    socket.off(readyEvent, onReady);
    onSocket(error);
  };
  socket.once(readyEvent, onReady);
  socket.once('error', onError);
}
