const UNRELEASED = '## Unreleased';

/**
 * The changelog with everything unreleased under the version and its day. A version that has its own section already, as
 * the first one has, keeps it.
 */
export function withRelease(text: string, version: string, day: string): string {
  if (!text.includes(`\n${UNRELEASED}\n`))
    throw new Error(`CHANGELOG.md: expected "${UNRELEASED}"`);
  const own = [`\n## ${version}\n`, `\n## ${version}, `];
  if (own.some((head) => text.includes(head))) return text;
  return text.replace(`\n${UNRELEASED}\n`, () => `\n${UNRELEASED}\n\n## ${version}, ${day}\n`);
}
