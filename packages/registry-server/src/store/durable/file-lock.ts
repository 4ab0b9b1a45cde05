import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Keeps a second process from the same file: a file beside it names the process that has it. One whose process is gone
 * (it was killed) holds nobody up.
 */
export class FileLock {
  readonly #path: string;

  private constructor(path: string) {
    this.#path = path;
  }

  /** Rejects with an error that names the process when another one has it. */
  static async take(target: string): Promise<FileLock> {
    const path = `${target}.lock`;
    await mkdir(dirname(path), { recursive: true });
    for (let tries = 0; tries < 3; tries++) {
      try {
        await writeFile(path, String(process.pid), { flag: 'wx', mode: 0o600 });
        return new FileLock(path);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
      const holder = Number(await readFile(path, 'utf8').catch(() => '0'));
      if (isAlive(holder)) {
        throw new Error(`process ${holder} uses it (${path}); expected a file of its own for each`);
      }
      await rm(path, { force: true });
    }
    throw new Error(`${path} cannot be taken: another process takes it at the same time`);
  }

  /** Twice without harm. */
  async release(): Promise<void> {
    await rm(this.#path, { force: true });
  }
}

function isAlive(pid: number): boolean {
  if (!(pid > 0) || pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
