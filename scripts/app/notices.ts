import type { Installed } from './installed.ts';

/** Code of others that is inside a package and of which no package.json tells. */
const CONTAINED: Readonly<Record<string, string>> = {
  '@fastify/swagger-ui':
    'Its folder static contains Swagger UI by SmartBear Software, under the Apache License 2.0.',
  undici: 'It contains llhttp, copyright Fedor Indutny, under the MIT licence.',
};

const RULE = '-'.repeat(80);

/** Whose code is inside, and under which terms: one text, for people. `own` is the licence of this project, an MIT licence. */
export function noticesOf(packages: readonly Installed[], own: string): string {
  const others = packages.filter(({ name }) => !name.startsWith('@rollcall/'));
  const head = `Rollcall contains the work of others: ${others.length} packages, each with its terms below.`;
  return `${[head, ...others.map((one) => noticeOf(one, own))].join(`\n\n${RULE}\n\n`)}\n`;
}

function noticeOf({ name, version, licence, author, texts }: Installed, own: string): string {
  const contained = CONTAINED[name];
  const about = `${name} ${version} (${licence})${contained === undefined ? '' : `\n${contained}`}`;
  if (texts.length > 0) return [about, ...texts].join('\n\n');
  // MIT asks for its text next to the code; some authors give it by its name alone.
  if (licence !== 'MIT') throw new Error(`${name}: no licence file, and "${licence}" is not MIT`);
  return `${about}\n\n${own.replace(/^Copyright .*$/m, `Copyright (c) ${author}`).trim()}`;
}
