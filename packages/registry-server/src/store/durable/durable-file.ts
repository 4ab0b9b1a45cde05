import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { type DurablePart, decodeDurable, encodeDurable } from './durable-part.ts';

/**
 * One file that holds the durable part. It is written beside its place, synced, and moved there, so that whoever looks
 * finds the old one whole or the new one whole, even after a power cut.
 */
export class DurableFile {
  readonly path: string;

  constructor(path: string) {
    this.path = resolve(path);
  }

  /** Undefined when there is none yet. Throws a DurableFormatError when it is damaged: then nothing of it is used. */
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
    // One of its own: what somebody has put there, such as a link to elsewhere, is not written to.
    await rm(fresh, { force: true });
    const file = await open(fresh, 'wx', 0o600);
    try {
      await file.writeFile(encodeDurable(part));
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(fresh, this.path);
    // The new name is in the folder, which is a file of its own.
    const directory = await open(folder, 'r');
    try {
      await directory.sync();
    } finally {
      await directory.close();
    }
  }
}
