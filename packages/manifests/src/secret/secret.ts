import { z } from 'zod';
import { type FieldError, notSupported, required, tooLong } from '../meta/field-error.ts';
import { validateMeta } from '../meta/meta-validation.ts';
import { checkSubdomain1123 } from '../meta/names.ts';
import { absent, ObjectMeta } from '../meta/object-meta.ts';
import { pairFaults } from './key-pair.ts';

/** The only type of Secrets here: a certificate and its private key. */
export const TLS_SECRET = 'kubernetes.io/tls';

/** The keys of a Secret of this type. */
export const TLS_CERT = 'tls.crt';
export const TLS_KEY = 'tls.key';

const MAX_BYTES = 1_048_576;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

const Texts = z.record(z.string(), z.string());

/** `apiVersion: v1, kind: Secret`: what it holds is stored encrypted, and shown to nobody but balancers. */
export const Secret = z.strictObject({
  apiVersion: z.literal('v1'),
  kind: z.literal('Secret'),
  metadata: ObjectMeta,
  type: absent(z.string()),
  /** In base64. */
  data: absent(Texts),
  /** As text; goes before `data`. */
  stringData: absent(Texts),
});
export type Secret = z.output<typeof Secret>;

/** A Secret with all of its content in `data`. */
export function defaultSecret({ stringData = {}, data, ...secret }: Secret): Secret {
  const texts = Object.entries(stringData).map(([key, text]) => {
    return [key, Buffer.from(text).toString('base64')] as const;
  });
  return {
    ...secret,
    type: secret.type || 'Opaque',
    ...(data === undefined && texts.length === 0
      ? {}
      : { data: { ...data, ...Object.fromEntries(texts) } }),
  };
}

/** Every fault of a Secret with its defaults, in the words of the Kubernetes API server where it has some. */
export function validateSecret({ metadata, type = '', data = {} }: Secret): FieldError[] {
  const faults = validateMeta(metadata, checkSubdomain1123);
  if (type !== TLS_SECRET) return [...faults, notSupported('type', type, [TLS_SECRET])];
  const coded = Object.entries(data);
  const spoilt = coded.filter(([, text]) => !BASE64.test(text.replaceAll(/\s/g, '')));
  faults.push(...spoilt.map(([key]) => hidden(`data[${key}]`, 'expected base64')));
  const size = coded.reduce((bytes, [, text]) => bytes + Buffer.byteLength(text), 0);
  if (size > MAX_BYTES) faults.push(tooLong('data', MAX_BYTES));
  const missing = [TLS_CERT, TLS_KEY].filter((key) => (data[key] ?? '') === '');
  faults.push(...missing.map((key) => required(`data[${key}]`)));
  if (spoilt.length + missing.length > 0) return faults;
  const found = pairFaults({ cert: textIn(data, TLS_CERT), key: textIn(data, TLS_KEY) });
  return [
    ...faults,
    ...found.map(({ isKey, detail }) => hidden(`data[${isKey ? TLS_KEY : TLS_CERT}]`, detail)),
  ];
}

/** What a key of `data` holds, as text. */
export function textIn(data: Readonly<Record<string, string>>, key: string): string {
  return Buffer.from(data[key] ?? '', 'base64').toString();
}

/** A fault that does not repeat the value. */
function hidden(field: string, detail: string): FieldError {
  return { reason: 'FieldValueInvalid', field, message: `Invalid value: ${detail}` };
}
