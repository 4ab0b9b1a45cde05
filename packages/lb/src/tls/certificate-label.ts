import { basename } from 'node:path';
import type { Certificate } from './files/certificate.ts';

/** A certificate's name in reports: its first DNS name, else the name of its file. */
export function labelOf({ names: [first], files }: Certificate): string {
  return first ?? basename(files.cert);
}
