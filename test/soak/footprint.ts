import { readdir, readFile } from 'node:fs/promises';

/** The machine resources of a process. */
export interface Footprint {
  readonly rssBytes: number;
  /** Open files, sockets and pipes. */
  readonly descriptors: number;
}

/** Linux only: undefined elsewhere, and for a process that has ended. */
export async function footprintOf(pid: number): Promise<Footprint | undefined> {
  try {
    const [status, open] = await Promise.all([
      readFile(`/proc/${pid}/status`, 'utf8'),
      readdir(`/proc/${pid}/fd`),
    ]);
    const kilobytes = Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]);
    return { rssBytes: kilobytes * 1_024, descriptors: open.length };
  } catch {
    return undefined;
  }
}

export function footprintText(footprint: Footprint | undefined): string {
  if (footprint === undefined) return 'unknown';
  return `${(footprint.rssBytes / 1_048_576).toFixed(0)} MB, ${footprint.descriptors} descriptors`;
}
