import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import dockerignore from '@balena/dockerignore';

/** The files of a project that reach a Docker engine. */
export class Context {
  readonly #root: string;
  readonly #isSent: (path: string) => boolean;
  /** What .dockerignore lets in again. */
  readonly #exceptions: readonly string[];

  constructor(root: string) {
    const rules = readFileSync(join(root, '.dockerignore'), 'utf8').split('\n');
    this.#root = root;
    this.#isSent = dockerignore.default().add(rules).createFilter();
    this.#exceptions = rules.filter((rule) => rule.startsWith('!')).map((rule) => rule.slice(1));
  }

  /** The files that `COPY source` takes, as paths in the project. Empty if there is no such file, or it is left out. */
  filesOf(source: string): string[] {
    if (!existsSync(join(this.#root, source))) return [];
    if (!statSync(join(this.#root, source)).isDirectory()) {
      return this.#isSent(source) ? [source] : [];
    }
    return this.#canHold(source) ? this.#filesBelow(source) : [];
  }

  #filesBelow(folder: string): string[] {
    return readdirSync(join(this.#root, folder), { withFileTypes: true }).flatMap((entry) => {
      const path = `${folder}/${entry.name}`;
      if (entry.isDirectory()) return this.#canHold(path) ? this.#filesBelow(path) : [];
      return this.#isSent(path) ? [path] : [];
    });
  }

  /** Most files of a project are in folders that are left out as a whole: those need not be read. */
  #canHold(folder: string): boolean {
    return this.#isSent(folder) || this.#exceptions.some((path) => path.startsWith(`${folder}/`));
  }
}
