import type { TLSSocket } from 'node:tls';
import { handleBindings, type HandleBindings } from '../handle-bindings.ts';

/** The internal object of a connection below its stream. */
export interface StreamHandle {
  /** Bytes that were written and that the system has not taken. */
  readonly writeQueueSize: number;
}

/** That of a TLS connection, which stands on that of its TCP connection. */
export interface TlsHandle extends StreamHandle {
  /** Whatever it returns is the buffer from then on; undefined: the same one. */
  onread: () => Uint8Array | undefined;
  useUserBuffer(buffer: Uint8Array): void;
  readStart(): number;
  readStop(): number;
  writeBuffer(request: object, buffer: Uint8Array): number;
  shutdown(request: object): number;
}

/** The two objects below one TLS connection. */
interface TlsHandles {
  readonly tls: TlsHandle;
  readonly tcp: StreamHandle;
}

export interface TlsBindings extends HandleBindings {
  handlesOf(this: void, socket: TLSSocket): TlsHandles;
}

/** Undefined when this Node.js lacks them. */
export function tlsBindings(): TlsBindings | undefined {
  const bindings = handleBindings();
  return bindings === undefined ? undefined : { ...bindings, handlesOf };
}

function handlesOf(socket: TLSSocket): TlsHandles {
  const { _handle: tls } = socket as unknown as { _handle: TlsHandle & { _parent: StreamHandle } };
  const { _parent: tcp } = tls;
  return { tls, tcp };
}
