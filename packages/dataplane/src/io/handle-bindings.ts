/**
 * The internal Node.js objects on which `net` is built. They are not public: check first that they exist and behave as
 * expected (see {@link import('./open-transport.ts')}).
 */
export interface TcpHandle {
  onread: () => void;
  /** All reads go into this buffer, again and again. */
  useUserBuffer(buffer: Uint8Array): void;
  readStart(): number;
  readStop(): number;
  writeBuffer(request: object, buffer: Uint8Array): number;
  shutdown(request: object): number;
  connect(request: object, address: string, port: number): number;
  connect6(request: object, address: string, port: number): number;
  close(callback?: () => void): void;
  /** Closes with RST. */
  reset(callback: () => void): number;
  getpeername(out: object): number;
  getsockname(out: object): number;
  setNoDelay(isOn: boolean): number;
  setKeepAlive(isOn: boolean, seconds: number): number;
}

/** A socket that listens, or will. */
export interface SocketHandle {
  bind(address: string, port: number): number;
  bind6(address: string, port: number, flags: number): number;
  /** Takes a descriptor that is open already. */
  open(fd: number): number;
  getsockname(out: object): number;
  close(): void;
}

interface Request {
  oncomplete: (status: number) => void;
}

interface WriteRequest extends Request {
  /** Kept from collection while the system reads it. */
  buffer?: Uint8Array;
}

export interface HandleBindings {
  createHandle(): TcpHandle;
  /** For one write; used by a write that did not go on asynchronously, it may be given to `spareWrite`. */
  createWrite(): WriteRequest;
  /** Takes back what a write did not need, for the next one. */
  spareWrite(request: WriteRequest): void;
  createShutdown(): Request;
  createConnect(): Request;
  /** Number of bytes of the last read, or a negative error. */
  lastRead(): number;
  /** Whether the last write is still in progress. */
  wasAsync(): boolean;
}

type Constructor<T> = new (type?: number) => T;

interface StreamWrap {
  readonly WriteWrap: Constructor<Request>;
  readonly ShutdownWrap: Constructor<Request>;
  readonly streamBaseState: Int32Array;
  readonly kReadBytesOrError: number;
  readonly kLastWriteWasAsync: number;
}

interface TcpWrap {
  readonly TCP: Constructor<TcpHandle>;
  readonly TCPConnectWrap: Constructor<Request>;
  readonly constants: { readonly SOCKET: number; readonly SERVER: number };
}

/** Undefined when this Node.js lacks them, or has them in another form. */
export function handleBindings(): HandleBindings | undefined {
  const stream = bindingOf<StreamWrap>('stream_wrap');
  const tcp = bindingOf<TcpWrap>('tcp_wrap');
  if (stream === undefined || tcp === undefined) return undefined;
  const { WriteWrap, ShutdownWrap, streamBaseState, kReadBytesOrError, kLastWriteWasAsync } =
    stream;
  const { TCP, TCPConnectWrap, constants } = tcp;
  if (
    WriteWrap === undefined ||
    ShutdownWrap === undefined ||
    streamBaseState === undefined ||
    kReadBytesOrError === undefined ||
    kLastWriteWasAsync === undefined ||
    TCP === undefined ||
    TCPConnectWrap === undefined ||
    constants === undefined
  ) {
    return undefined;
  }
  let spare: WriteRequest | undefined;
  return {
    createHandle: () => new TCP(constants.SOCKET),
    createWrite() {
      const request = spare ?? new WriteWrap();
      spare = undefined;
      return request;
    },
    spareWrite(request) {
      spare = request;
    },
    createShutdown: () => new ShutdownWrap(),
    createConnect: () => new TCPConnectWrap(),
    lastRead: () => streamBaseState[kReadBytesOrError] ?? 0,
    wasAsync: () => streamBaseState[kLastWriteWasAsync] !== 0,
  };
}

/** Sockets that accept nothing by themselves. Undefined when this Node.js lacks them. */
export function listeningBindings(): { createListening(): SocketHandle } | undefined {
  const { TCP, constants } = bindingOf<TcpWrap>('tcp_wrap') ?? {};
  if (TCP === undefined || constants === undefined) return undefined;
  return { createListening: () => new TCP(constants.SERVER) as unknown as SocketHandle };
}

function bindingOf<T>(name: string): Partial<T> | undefined {
  const { binding } = process as unknown as { binding?: (name: string) => unknown };
  try {
    return binding?.call(process, name) as Partial<T> | undefined;
  } catch {
    return undefined;
  }
}

/** Calls after the current code has finished, never from inside it. */
export function afterwards(call: () => void): void {
  setImmediate(call);
}
