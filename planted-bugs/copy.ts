import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Not copied: large, or generated. */
const LEFT_OUT = new Set(['node_modules', '.git', '.toolchain', 'dist']);

/**
 * A copy of the workspace in which tests can run. Its packages resolve to the copy, all other modules to the workspace.
 */
export class WorkspaceCopy {
  readonly root: string;

  constructor(workspace: string) {
    this.root = mkdtempSync(join(tmpdir(), 'planted-bugs-'));
    cpSync(workspace, this.root, {
      recursive: true,
      verbatimSymlinks: true,
      filter: (path) => !LEFT_OUT.has(path.slice(path.lastIndexOf('/') + 1)),
    });
    const modules = join(workspace, 'node_modules');
    mkdirSync(join(this.root, 'node_modules'));
    for (const name of readdirSync(modules)) {
      if (name !== '@rollcall' && name !== '.vite') {
        symlinkSync(join(modules, name), join(this.root, 'node_modules', name));
      }
    }
    cpSync(join(modules, '@rollcall'), join(this.root, 'node_modules/@rollcall'), {
      recursive: true,
      verbatimSymlinks: true,
    });
    // These links are relative, so links to packages lead into the copy.
    for (const name of readdirSync(join(workspace, 'packages'))) {
      const own = join('packages', name, 'node_modules');
      if (!existsSync(join(workspace, own))) continue;
      cpSync(join(workspace, own), join(this.root, own), {
        recursive: true,
        verbatimSymlinks: true,
        filter: (path) => !path.includes('node_modules/.'),
      });
      // A Redis that was downloaded before.
      const cache = join(workspace, own, '.cache');
      if (existsSync(cache)) symlinkSync(cache, join(this.root, own, '.cache'));
    }
  }

  close(): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}
