/**
 * The objects of Node.js that its own `net` stands on. They are not public: whoever uses them asks first whether they
 * are there and do what is expected (see {@link import('./open-transport.ts')}).
 */
export interface TcpHandle {
  onread: () => void;
  /** Bytes are read into this buffer, again and again. */
  useUserBuffer(buffer: Uint8Array): void;
  readStart(): number;
  readStop(): number;
  writeBuffer(request: object, buffer: Uint8Array): number;
  shutdown(request: object): number;
  connect(request: object, address: string, port: number): number;
  connect6(request: object, address: string, port: number): number;
  close(callback: () => void): void;
  /** Closes with RST. */
  reset(callback: () => void): number;
  getpeername(out: object): number;
  getsockname(out: object): number;
  setNoDelay(isOn: boolean): number;
  setKeepAlive(isOn: boolean, seconds: number): number;
}

interface Request {
  oncomplete: (status: number) => void;
}

export interface HandleBindings {
  createHandle(): TcpHandle;
  createWrite(): Request & { buffer?: Uint8Array };
  createShutdown(): Request;
  createConnect(): Request;
  /** Bytes of the last read, or an error below zero. */
  lastRead(): number;
  /** Whether the last write is still under way. */
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
  readonly constants: { readonly SOCKET: number };
}

/** Undefined where this Node.js does not have them, or not in the form that is known here. */
export function handleBindings(): HandleBindings | undefined {
  const { binding } = process as unknown as { binding?: (name: string) => unknown };
  if (typeof binding !== 'function') return undefined;
  let stream: Partial<StreamWrap>;
  let tcp: Partial<TcpWrap>;
  try {
    stream = binding.call(process, 'stream_wrap') as Partial<StreamWrap>;
    tcp = binding.call(process, 'tcp_wrap') as Partial<TcpWrap>;
  } catch {
    return undefined;
  }
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
  return {
    createHandle: () => new TCP(constants.SOCKET),
    createWrite: () => new WriteWrap(),
    createShutdown: () => new ShutdownWrap(),
    createConnect: () => new TCPConnectWrap(),
    lastRead: () => streamBaseState[kReadBytesOrError] ?? 0,
    wasAsync: () => streamBaseState[kLastWriteWasAsync] !== 0,
  };
}

/** After what is running now, and never inside of it. */
export function afterwards(call: () => void): void {
  setImmediate(call);
}
