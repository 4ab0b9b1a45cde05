import { once } from 'node:events';
import { type WriteStream, createWriteStream } from 'node:fs';

/** Destination of the access log. */
export interface LogSink {
  /** The bytes are the sink's from then on. */
  write(bytes: Uint8Array): void;
  /** Bytes written that have not been flushed yet. */
  backlogBytes(): number;
  close(): Promise<void>;
}

/** A pipe takes so much at once without mixing it with what other processes write (PIPE_BUF, pipe(7)). */
const ATOMIC_BYTES = 4_096;
const LINE_END = 10;

/** `isShared`: other processes write there too; lines stay whole unless they are longer than a pipe takes at once. */
export function createStdoutSink(stdout: NodeJS.WriteStream, isShared: boolean): LogSink {
  return {
    write(bytes) {
      if (!isShared) stdout.write(bytes);
      else for (const part of wholeLines(bytes)) stdout.write(part);
    },
    backlogBytes: () => stdout.writableLength,
    close: async () => {
      if (stdout.writableLength > 0) await once(stdout, 'drain');
    },
  };
}

function* wholeLines(bytes: Uint8Array): Generator<Uint8Array> {
  for (let start = 0; start < bytes.length;) {
    let end = Math.min(start + ATOMIC_BYTES, bytes.length);
    const last = bytes.lastIndexOf(LINE_END, end - 1);
    if (last >= start) end = last + 1;
    yield bytes.subarray(start, end);
    start = end;
  }
}

/** Appends to a file. @throws the system's error when it cannot be opened. */
export async function openFileSink(
  path: string,
  onError: (error: Error) => void,
): Promise<LogSink> {
  const stream: WriteStream = createWriteStream(path, { flags: 'a' });
  await once(stream, 'open');
  stream.on('error', onError);
  return {
    write: (bytes) => void stream.write(bytes),
    backlogBytes: () => stream.writableLength,
    close: () =>
      new Promise((resolve) => {
        if (stream.destroyed) resolve();
        else stream.end(resolve);
      }),
  };
}
