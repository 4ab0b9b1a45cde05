import { type FileHandle, open } from 'node:fs/promises';
import { type SendQueues, type SocketEnds, UNKNOWN_SEND_QUEUES } from './send-queues.ts';
import { socketKey } from './socket-key.ts';

const TABLES = ['/proc/self/net/tcp', '/proc/self/net/tcp6'];
const READ_BYTES = 65_536;
/** "  12: LOCAL:PORT REMOTE:PORT STATE TX:RX ...": the first five columns. */
const ROW = /^ *\d+: (\S+ \S+) [0-9A-F]{2} ([0-9A-F]{8}):/;

/**
 * Linux: reads the column tx_queue of the process's socket tables, in pieces, so that large
 * tables do not block the event loop.
 */
export class ProcSendQueues implements SendQueues {
  readonly #tables: readonly string[];

  constructor(tables: readonly string[] = TABLES) {
    this.#tables = tables;
  }

  async measure(connections: readonly SocketEnds[]): Promise<readonly number[]> {
    const lengths = connections.map(() => -1);
    const wanted = new Map<string, number>();
    connections.forEach((connection, index) => {
      const key = socketKey(connection);
      if (key !== undefined) wanted.set(key, index);
    });
    for (const table of this.#tables) await readTable(table, wanted, lengths);
    return lengths;
  }
}

export const systemSendQueues: SendQueues =
  process.platform === 'linux' ? new ProcSendQueues() : UNKNOWN_SEND_QUEUES;

async function readTable(
  path: string,
  wanted: ReadonlyMap<string, number>,
  lengths: number[],
): Promise<void> {
  let file: FileHandle | undefined;
  try {
    file = await open(path);
    const buffer = Buffer.allocUnsafe(READ_BYTES);
    let rest = '';
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, READ_BYTES, null);
      if (bytesRead === 0) return;
      const rows = (rest + buffer.toString('latin1', 0, bytesRead)).split('\n');
      rest = rows.pop() ?? '';
      for (const row of rows) noteRow(row, wanted, lengths);
    }
  } catch {
    // No such table, or no file descriptor left to open it: connections not seen stay unknown.
  } finally {
    await file?.close().catch(() => undefined);
  }
}

function noteRow(row: string, wanted: ReadonlyMap<string, number>, lengths: number[]): void {
  const match = ROW.exec(row);
  if (match === null) return;
  const index = wanted.get(match[1]!);
  if (index !== undefined) lengths[index] = Number.parseInt(match[2]!, 16);
}
