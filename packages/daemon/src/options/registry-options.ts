import { z } from 'zod';
import { type OptionValues, spec } from './option-spec.ts';
import { pemFile } from './pem-file.ts';
import { ConfigError } from './read-options.ts';
import { tokenFile } from './token-file.ts';

const MISSING = 'missing: expected the http:// or https:// url of a registry';

/** Options of every program that uses a registry: its address, the token, and TLS. */
export const REGISTRY_OPTIONS = {
  registry: spec({
    flag: 'registry',
    env: 'ROLLCALL_URL',
    value: 'URL',
    list: 'commas',
    help: 'URL of the registry. With several servers of one store, give all of them: when one is down, another is used.',
    fallback: 'required',
    schema: z
      .array(z.url({ protocol: /^https?$/, error: 'expected an http:// or https:// url' }), {
        error: MISSING,
      })
      .min(1, { error: MISSING }),
  }),
  token: spec({
    flag: 'token',
    env: 'ROLLCALL_TOKEN',
    value: 'TOKEN',
    isSecret: true,
    help: 'Token for the registry. Other users of the machine can see flags: prefer --token-file or ROLLCALL_TOKEN.',
    schema: z.string().min(1, { error: 'expected a token' }).optional(),
  }),
  tokenFile: spec({
    flag: 'token-file',
    env: 'ROLLCALL_TOKEN_FILE',
    value: 'FILE',
    help: 'File with the token for the registry, instead of --token.',
    schema: tokenFile().optional(),
  }),
  registryCa: spec({
    flag: 'registry-ca',
    env: 'ROLLCALL_CA',
    value: 'FILE',
    help: "CA certificates (PEM) to verify the registry's certificate. Default: those of Node.js.",
    schema: pemFile('certificate').optional(),
  }),
  registryCert: spec({
    flag: 'registry-cert',
    env: 'ROLLCALL_CERT',
    value: 'FILE',
    help: 'Client certificate (PEM), if the registry asks for one. Requires --registry-key.',
    schema: pemFile('certificate').optional(),
  }),
  registryKey: spec({
    flag: 'registry-key',
    env: 'ROLLCALL_KEY',
    value: 'FILE',
    help: 'Private key (PEM) of --registry-cert.',
    schema: pemFile('private key').optional(),
  }),
};

/** The address and credentials of a registry, in the form that its client takes. */
export interface RegistryAccess {
  readonly url: string[];
  readonly token?: string;
  readonly ca?: string;
  /** This side's certificate, for a registry that asks for one. */
  readonly connect?: { readonly cert: string; readonly key: string };
}

/**
 * @throws ConfigError when there are two tokens, a certificate without a key, or a key without a certificate.
 */
export function registryAccess(options: OptionValues<typeof REGISTRY_OPTIONS>): RegistryAccess {
  const { registry, registryCa: ca, registryCert: cert, registryKey: key } = options;
  if (options.token !== undefined && options.tokenFile !== undefined) {
    throw new ConfigError('token and token file: expected at most one of them');
  }
  const token = options.token ?? options.tokenFile;
  if ((cert === undefined) !== (key === undefined)) {
    throw new ConfigError('--registry-cert and --registry-key: expected both or neither');
  }
  return {
    url: registry,
    ...(token === undefined ? {} : { token }),
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined || key === undefined ? {} : { connect: { cert, key } }),
  };
}
