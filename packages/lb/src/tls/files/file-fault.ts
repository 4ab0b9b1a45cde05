/** What is wrong with one of the files of a certificate. */
export class FileFault extends Error {
  override readonly name = 'FileFault';
  /** The key of the configuration that names the file. */
  readonly field: string;
  readonly file: string;
  /** The file alone, without the line. */
  readonly path: string;
  /** What was expected. */
  readonly expected: string;

  /** `line`: where in the file; undefined = in no line of it. */
  constructor(at: FilePlace, expected: string, line?: number) {
    const where = line === undefined ? at.file : `${at.file}:${line}`;
    super(`${where}: expected ${expected}`);
    this.field = at.field;
    this.file = where;
    this.path = at.file;
    this.expected = expected;
  }
}

/** A file, and the key of the configuration that names it. */
export interface FilePlace {
  readonly field: string;
  readonly file: string;
}
