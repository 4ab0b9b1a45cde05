// `node scripts/app/main.ts FOLDER`: `rollcall` with its libraries, ready to run from FOLDER; the workspace is installed and
// built before. The image and the tarball both contain what this makes.
import { resolve } from 'node:path';
import { makeApp } from './app.ts';

const [folder] = process.argv.slice(2);
if (folder === undefined) {
  console.error('usage: node scripts/app/main.ts FOLDER');
  process.exitCode = 2;
} else makeApp(resolve(folder));
