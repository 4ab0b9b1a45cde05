import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { FileFault, type FilePlace } from './file-fault.ts';

/** Returns the text of a file. @throws FileFault when it cannot be read. */
export type ReadText = (place: FilePlace) => string;

/** Reads at once, for the start. */
export const readNow: ReadText = (place) => {
  try {
    return readFileSync(place.file, 'utf8');
  } catch (error) {
    throw unreadable(place, error);
  }
};

/** Reads all files first, without holding up anything else: a disk may be slow or far away. */
export async function readAll(files: Iterable<string>): Promise<ReadText> {
  const texts = new Map<string, string | NodeJS.ErrnoException>();
  await Promise.all(
    Array.from(files, async (file) => {
      texts.set(file, await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => error));
    }),
  );
  return (place) => {
    const text = texts.get(place.file);
    if (typeof text === 'string') return text;
    throw unreadable(place, text);
  };
}

function unreadable(place: FilePlace, error: unknown): FileFault {
  const { code, message } = error as NodeJS.ErrnoException;
  return new FileFault(place, `a file that can be read (${code ?? message})`);
}
