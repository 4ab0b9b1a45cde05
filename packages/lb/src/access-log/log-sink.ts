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

export function createStdoutSink(stdout: NodeJS.WriteStream): LogSink {
  return {
    write: (bytes) => void stdout.write(bytes),
    backlogBytes: () => stdout.writableLength,
    close: async () => {
      if (stdout.writableLength > 0) await once(stdout, 'drain');
    },
  };
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
