import { type Stats, statSync } from 'node:fs';
import { stat } from 'node:fs/promises';

/**
 * Notices when files change. It looks at them instead of waiting for events of the system, which are missing on network
 * file systems and where links are exchanged. The files of a set are rarely replaced in the same moment, so a change
 * counts only when the next look finds nothing new.
 */
export class WatchedFiles {
  readonly files: readonly string[];
  /** What the last look found. */
  #seen: string;
  /** What was found when a change was last reported. */
  #reported: string;

  /** Remembers the files as they are now: create it before they are read. */
  constructor(files: Iterable<string>) {
    this.files = [...new Set(files)];
    this.#seen = this.files.map((file) => signatureOf(() => statSync(file))).join('\n');
    this.#reported = this.#seen;
  }

  /** Whether the files have changed since this last returned true, and are quiet again. */
  async haveChanged(): Promise<boolean> {
    const stats = await Promise.allSettled(this.files.map((file) => stat(file)));
    const found = stats.map((result) => signatureOf(() => valueOf(result))).join('\n');
    const isQuiet = found === this.#seen;
    this.#seen = found;
    if (!isQuiet || found === this.#reported) return false;
    this.#reported = found;
    return true;
  }
}

/** Differs when a file was replaced, written or made readable. */
function signatureOf(look: () => Stats): string {
  try {
    const { ino, size, mtimeMs, ctimeMs } = look();
    return [ino, size, mtimeMs, ctimeMs].join(' ');
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code);
  }
}

function valueOf<T>(result: PromiseSettledResult<T>): T {
  if (result.status === 'rejected') throw result.reason;
  return result.value;
}
