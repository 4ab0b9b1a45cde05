import { readFileSync } from 'node:fs';

/** The version of a package. `module`: `import.meta.url` of a module in its src or dist. */
export function versionOf(module: string): string {
  const text = readFileSync(new URL('../package.json', module), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
