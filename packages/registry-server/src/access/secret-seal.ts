import { createCipheriv, createDecipheriv, createHash } from 'node:crypto';
import type { Random } from '@rollcall/runtime';

const ALGORITHM = 'aes-256-gcm';
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const KEY_ID_LENGTH = 8;

/** What a Secret holds, by key, in base64. */
export type SecretContent = Readonly<Record<string, string>>;

/** Identifies a Secret. */
export interface SecretRef {
  readonly namespace: string;
  readonly name: string;
}

/** The key of a line: 32 bytes in base64 or as hex. Undefined: it is none. */
export function sealingKeyOf(line: string): Buffer | undefined {
  const key = Buffer.from(line, /^[0-9a-f]{64}$/i.test(line) ? 'hex' : 'base64');
  return key.length === KEY_BYTES && /^[A-Za-z0-9+/=]+$/.test(line) ? key : undefined;
}

/**
 * Encrypts what Secrets hold, with AES-256-GCM. The name of the Secret is authenticated too, so that whoever may write
 * into the store cannot put the content of one into another.
 */
export class SecretSeal {
  /** By their ids: parts of their digests. The first one seals, all of them open. */
  readonly #keys: ReadonlyMap<string, Buffer>;
  readonly #sealing: readonly [id: string, key: Buffer];
  readonly #random: Pick<Random, 'hex'>;

  constructor(keys: readonly [Buffer, ...Buffer[]], random: Pick<Random, 'hex'>) {
    this.#keys = new Map(keys.map((key) => [idOf(key), key]));
    this.#sealing = [idOf(keys[0]), keys[0]];
    this.#random = random;
  }

  seal(ref: SecretRef, content: SecretContent): string {
    const [id, key] = this.#sealing;
    const nonce = Buffer.from(this.#random.hex(NONCE_BYTES), 'hex');
    const cipher = createCipheriv(ALGORITHM, key, nonce).setAAD(boundTo(ref));
    const parts = [cipher.update(JSON.stringify(content), 'utf8'), cipher.final()];
    const sealed = Buffer.concat([nonce, ...parts, cipher.getAuthTag()]);
    return `${id}.${sealed.toString('base64')}`;
  }

  /** Undefined: it was sealed with a key that this server does not have, or for another Secret, or it was changed. */
  open(ref: SecretRef, text: string): SecretContent | undefined {
    const [id = '', base64 = ''] = text.split('.');
    const key = this.#keys.get(id);
    const sealed = Buffer.from(base64, 'base64');
    if (key === undefined || sealed.length < NONCE_BYTES + TAG_BYTES) return undefined;
    const decipher = createDecipheriv(ALGORITHM, key, sealed.subarray(0, NONCE_BYTES), {
      authTagLength: TAG_BYTES,
    });
    decipher.setAAD(boundTo(ref)).setAuthTag(sealed.subarray(-TAG_BYTES));
    try {
      const parts = [decipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()];
      return JSON.parse(Buffer.concat(parts).toString()) as SecretContent;
    } catch {
      return undefined;
    }
  }
}

function idOf(key: Buffer): string {
  return createHash('sha256').update(key).digest('hex').slice(0, KEY_ID_LENGTH);
}

function boundTo({ namespace, name }: SecretRef): Buffer {
  return Buffer.from(`secret/${namespace}/${name}`);
}
