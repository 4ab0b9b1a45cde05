import { certificatesIn } from './certificate.ts';
import type { ReadText } from './file-contents.ts';
import { FileFault, type FilePlace } from './file-fault.ts';

/** The certificates of authorities, in PEM. @throws FileFault when there is none, or one cannot be parsed. */
export function readAuthorities(place: FilePlace, read: ReadText): string {
  const text = read(place);
  if (certificatesIn(text, place).length === 0) {
    throw new FileFault(place, 'certificates of authorities (PEM), found none');
  }
  return text;
}
