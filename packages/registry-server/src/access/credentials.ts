import { readFileSync } from 'node:fs';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { ConfigError } from '@rollcall/daemon';
import { readTokenLines, Tokens } from './tokens.ts';
import { SecretSeal, sealingKeyOf } from './secret-seal.ts';
import type { Random } from '@rollcall/runtime';

/** The sources of the server's certificate and of the credentials that callers must show. */
export interface CredentialSources {
  readonly tlsCert?: string | undefined;
  readonly tlsKey?: string | undefined;
  readonly tlsClientCa?: string | undefined;
  readonly token: readonly string[];
  readonly tokenFile?: string | undefined;
  readonly secretsKeyFile?: string | undefined;
}

function readPem(option: string, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new ConfigError(`${option} ${file}: ${(error as Error).message}`);
  }
}

function checkPem(option: string, material: SecureContextOptions): void {
  try {
    createSecureContext(material);
  } catch (error) {
    throw new ConfigError(
      `${option}: expected PEM files that fit, got ${(error as Error).message}`,
    );
  }
}

/** The options of an HTTPS server, read and tested; undefined without TLS. Throws a {@link ConfigError}. */
export function httpsOf({ tlsCert, tlsKey, tlsClientCa }: CredentialSources) {
  if (tlsCert === undefined || tlsKey === undefined) return undefined;
  const pair = { cert: readPem('--tls-cert', tlsCert), key: readPem('--tls-key', tlsKey) };
  checkPem('--tls-cert and --tls-key', pair);
  if (tlsClientCa === undefined) return pair;
  const ca = readPem('--tls-client-ca', tlsClientCa);
  checkPem('--tls-client-ca', { ca });
  return { ...pair, ca, requestCert: true, rejectUnauthorized: true };
}

/** What encrypts Secrets; undefined without a file of keys. Throws a {@link ConfigError}. */
export function sealOf(
  { secretsKeyFile }: Pick<CredentialSources, 'secretsKeyFile'>,
  random: Pick<Random, 'hex'>,
): SecretSeal | undefined {
  if (secretsKeyFile === undefined) return undefined;
  const option = '--secrets-key-file';
  const lines = readTokenLines(readPem(option, secretsKeyFile).toString());
  const keys = lines.map((line, i) => {
    const key = sealingKeyOf(line);
    if (key !== undefined) return key;
    const expected = '32 bytes in base64 or as hex, as of: openssl rand -base64 32';
    throw new ConfigError(`${option} ${secretsKeyFile}: key ${i + 1}: expected ${expected}`);
  });
  const [first, ...others] = keys;
  if (first === undefined)
    throw new ConfigError(`${option} ${secretsKeyFile}: expected at least one key`);
  return new SecretSeal([first, ...others], random);
}

/** The tokens from flags, environment and file. Throws a {@link ConfigError}. */
export function tokensOf({ token, tokenFile }: CredentialSources): Tokens {
  const lines =
    tokenFile === undefined ? [] : readTokenLines(readPem('--token-file', tokenFile).toString());
  const tokens = new Tokens([...token, ...lines]);
  if (tokenFile !== undefined && lines.length === 0) {
    throw new ConfigError(`--token-file ${tokenFile}: expected at least one TOKEN[=SCOPES] a line`);
  }
  return tokens;
}
