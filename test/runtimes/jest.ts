import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installedProject, SDK, TESTING } from './project.ts';
import { runIn } from './run.ts';

const PAGE = fileURLToPath(new URL('../../docs/testing.md', import.meta.url));

/** The first block of a language in the chapter on jest. */
async function blockOf(language: string): Promise<string> {
  const page = await readFile(PAGE, 'utf8');
  const [, chapter = ''] = /^## With jest$([^]*?)^## /m.exec(page) ?? [];
  const [, block] = new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\``, 'm').exec(chapter) ?? [];
  if (block === undefined) throw new Error(`docs/testing.md has no ${language} for jest`);
  return block;
}

interface Manifest {
  readonly jest: object;
}

/** What the page says of tests in TypeScript, in addition to the manifest for JavaScript. */
async function typedManifest(manifest: Manifest): Promise<Manifest> {
  const page = await readFile(PAGE, 'utf8');
  const [, more = ''] = /with `@swc\/jest`: `([^`]*)`/.exec(page) ?? [];
  return { ...manifest, jest: { ...manifest.jest, ...(JSON.parse(`{${more}}`) as object) } };
}

/** Runs the example of jest, and the same in TypeScript. Resolves with what is wrong; undefined = nothing. */
export async function jestFault(
  folder: string,
  tarballs: ReadonlyMap<string, string>,
): Promise<string | undefined> {
  const manifest = JSON.parse(await blockOf('json')) as Manifest;
  const example = await blockOf('js');
  const libraries = ['jest@30', '@swc/jest@0.2', '@swc/core@1'];
  const packages = [...SDK, ...TESTING];
  const project = join(folder, 'jest');
  await installedProject(project, tarballs, { packages, libraries, manifest });
  const plain = await testFault(project, 'shop.test.js', example);
  if (plain !== undefined) return plain;
  await writeFile(join(project, 'package.json'), JSON.stringify(await typedManifest(manifest)));
  return testFault(
    project,
    'shop.test.ts',
    example.replace('let registry;', 'let registry: TestRegistry;'),
  );
}

async function testFault(project: string, name: string, text: string): Promise<string | undefined> {
  await writeFile(join(project, name), text);
  const { output, exitCode } = await runIn(project, { program: 'npm', args: ['test', '--', name] });
  const isFine = exitCode === 0 && /^Tests: +1 passed, 1 total$/m.test(output);
  return isFine ? undefined : `${name}: exit code ${exitCode}:\n${output}`;
}
