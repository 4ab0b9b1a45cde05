import { type ClientHttp2Session, type ClientHttp2Stream, connect } from 'node:http2';
import { once } from 'node:events';

/** A protobuf field of type varint. Its value must fit into 64 bits. */
export function varintField(field: number, value: bigint): Buffer {
  const bytes = [field << 3];
  let rest = BigInt.asUintN(64, value);
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  bytes.push(Number(rest));
  return Buffer.from(bytes);
}

/** A protobuf field with bytes, a string or a message. At most 127 bytes. */
export function bytesField(field: number, value: Buffer | string): Buffer {
  const bytes = Buffer.from(value as string);
  return Buffer.concat([Buffer.from([(field << 3) | 2, bytes.length]), bytes]);
}

/** A message in gRPC framing: a zero, the length, the bytes. */
export function grpcFrame(...fields: readonly Buffer[]): Buffer {
  const message = Buffer.concat(fields);
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

/** Opens a connection without TLS. */
export async function openGrpc(port: number): Promise<ClientHttp2Session> {
  const session = connect(`http://127.0.0.1:${port}`);
  await once(session, 'connect');
  return session;
}

/**
 * Opens a call; `onMessage` is called with each message, in order, and `onChunk` with the number of messages per chunk.
 */
export function openCall(
  session: ClientHttp2Session,
  path: string,
  on: { onMessage?: (message: Buffer) => void; onChunk?: (messages: number) => void },
): ClientHttp2Stream {
  const call = session.request({
    ':method': 'POST',
    ':path': path,
    'content-type': 'application/grpc',
    te: 'trailers',
  });
  let rest: Buffer = Buffer.alloc(0);
  call.on('data', (chunk: Buffer) => {
    let bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let messages = 0;
    while (bytes.length >= 5) {
      const end = 5 + bytes.readUInt32BE(1);
      if (bytes.length < end) break;
      messages++;
      on.onMessage?.(bytes.subarray(5, end));
      bytes = bytes.subarray(end);
    }
    rest = bytes;
    if (messages > 0) on.onChunk?.(messages);
  });
  call.on('error', (error) => {
    if (!session.destroyed) throw error;
  });
  return call;
}
