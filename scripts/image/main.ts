// `npm run image`: runs the steps of the Dockerfile without a Docker engine, in a temporary folder that has only what COPY
// brings there, then starts what came out: as a user without rights, on files that nobody may write, with the health check.
// A mistake in the Dockerfile or in .dockerignore ends it with an error. It needs the package registry, and nothing else.
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { TestProcess, until } from '@rollcall/testkit';
import { tryApp } from '../app/trial.ts';
import { buildImage, type Image } from './build.ts';
import { Context } from './context.ts';
import { commandOf, lastOf, readDockerfile, type Stage } from './dockerfile.ts';

const source = fileURLToPath(new URL('../..', import.meta.url));

/** Nobody: `node` of the image has no rights either. */
const UID = 65_534;

/** All files below; takes the right to write them, or gives it back to their owner. */
function seal(path: string, isSealed: boolean): string[] {
  const stat = statSync(path);
  chmodSync(path, isSealed ? stat.mode & 0o555 : stat.mode | 0o200);
  if (!stat.isDirectory()) return [path];
  return readdirSync(path).flatMap((name) => seal(join(path, name), isSealed));
}

/** Starts a command in the image: with its variables and no others. */
function startIn(
  { root, workdir, env }: Image,
  [program = '', ...args]: readonly string[],
  extra: Readonly<Record<string, string>> = {},
): TestProcess {
  const variables = { ...env, ...extra, PATH: join(root, 'usr/local/bin') };
  const pairs = Object.entries(variables).map(([name, value]) => `${name}=${value}`);
  const user = [`--reuid=${UID}`, `--regid=${UID}`, '--clear-groups'];
  const within = [...(process.getuid?.() === 0 ? ['setpriv', ...user] : []), 'env', '-i', ...pairs];
  return new TestProcess(program, args, { cwd: join(root, workdir), within });
}

async function tryImage(image: Image, stage: Stage): Promise<void> {
  const entry = commandOf(lastOf(stage, 'ENTRYPOINT'));
  const health = commandOf(lastOf(stage, 'HEALTHCHECK'));
  if (/^(root|0)(:|$)/.test(lastOf(stage, 'USER').text)) throw new Error('USER: expected not root');
  const manifest = readFileSync(join(image.root, image.workdir, 'package.json'), 'utf8');
  const isHealthy = async (url: string) => {
    const check = startIn(image, health, { HEALTH_URL: url });
    await until(() => check.hasExited);
    return check.child.exitCode === 0;
  };
  await tryApp({
    start: (args, env) => startIn(image, [...entry, ...args], env),
    version: (JSON.parse(manifest) as { readonly version: string }).version,
    onReady: async (url) => {
      if (!(await isHealthy(`${url}/readyz`))) throw new Error('HEALTHCHECK: unhealthy when ready');
      if (await isHealthy(`${url}/nothing`)) throw new Error('HEALTHCHECK: healthy when not ready');
    },
  });
}

const folder = mkdtempSync(join(tmpdir(), 'rollcall-image-'));
try {
  // For the user who runs the image.
  chmodSync(folder, 0o755);
  const stages = readDockerfile(readFileSync(join(source, 'Dockerfile'), 'utf8'));
  const image = buildImage(stages, new Context(source), { source, folder });
  const home = join(image.root, image.workdir);
  const files = seal(home, true);
  const bytes = files.reduce((sum, file) => sum + statSync(file).size, 0);
  try {
    await tryImage(image, stages.at(-1) as Stage);
  } finally {
    seal(home, false);
  }
  const size = `${files.length} files, ${(bytes / 1_048_576).toFixed(1)} MiB`;
  console.log(`the image works: ${image.workdir} has ${size}`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
