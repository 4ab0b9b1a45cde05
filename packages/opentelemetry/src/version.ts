import { readFileSync } from 'node:fs';

/**
 * Of this package: what spans and metrics name as the version of their scope. Empty in a program that was bundled into
 * one file.
 */
export function ownVersion(): string {
  try {
    const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
    const { name, version } = JSON.parse(text) as { name: string; version: string };
    return name === '@rollcall/opentelemetry' ? version : '';
  } catch {
    return '';
  }
}
