import { readFileSync } from 'node:fs';
import { CliError, usageError } from '../base/cli-error.ts';
import { type Arguments, textOption } from '../session/command.ts';

/** `create secret tls NAME --cert=FILE --key=FILE`. The registry checks that they fit. */
export function tlsSecretOf(given: Arguments) {
  const [, type = '', name] = given.words;
  if (type !== 'tls') {
    throw usageError(
      `create secret: expected tls, got "${type}": only certificates with their keys are kept here`,
    );
  }
  if (name === undefined) throw usageError('exactly one NAME is required, got 0');
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name },
    type: 'kubernetes.io/tls',
    data: { 'tls.crt': contentOf('cert', given), 'tls.key': contentOf('key', given) },
  };
}

function contentOf(option: 'cert' | 'key', given: Arguments): string {
  const file = textOption(given, option);
  if (file === undefined) throw usageError(`required flag(s) "${option}" not set`);
  try {
    return readFileSync(file).toString('base64');
  } catch (error) {
    throw new CliError(`error: --${option} ${file}: ${(error as Error).message}`);
  }
}
