import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { type DurablePart, decodeDurable, encodeDurable } from './durable-part.ts';

/**
 * One file with the durable part. It is written to a temporary file beside it, synced, and renamed, so that a reader
 * finds either the whole old file or the whole new one, even after a power cut.
 */
export class DurableFile {
  readonly path: string;

  constructor(path: string) {
    this.path = resolve(path);
  }

  /**
   * Undefined when there is no file yet. Throws a DurableFormatError when it is damaged: then nothing of it is used.
   */
  async read(): Promise<DurablePart | undefined> {
    let text: string;
    try {
      text = await readFile(this.path, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
    return decodeDurable(text);
  }

  async write(part: DurablePart): Promise<void> {
    const folder = dirname(this.path);
    await mkdir(folder, { recursive: true });
    const fresh = `${this.path}.new`;
    // Always a new file: never write through an existing one, such as a link to another place.
    await rm(fresh, { force: true });
    const file = await open(fresh, 'wx', 0o600);
    try {
      await file.writeFile(encodeDurable(part));
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(fresh, this.path);
    // The rename changed the folder, which needs its own sync.
    const directory = await open(folder, 'r');
    try {
      await directory.sync();
    } finally {
      await directory.close();
    }
  }
}
