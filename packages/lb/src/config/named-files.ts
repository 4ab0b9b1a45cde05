/** Keys whose value is the path of a file that is read with the configuration. */
const FILE_KEYS: ReadonlySet<string> = new Set([
  'tokenFile',
  'ca',
  'cert',
  'key',
  'usersFile',
  'cookieKeyFile',
]);

/** The files that the raw data of a configuration names. */
export function namedFiles(data: unknown): readonly string[] {
  if (typeof data !== 'object' || data === null) return [];
  const files = Object.entries(data).flatMap(([key, value]: [string, unknown]) =>
    typeof value === 'string' && FILE_KEYS.has(key) ? [value] : namedFiles(value),
  );
  return [...new Set(files)];
}
