import { createHash } from 'node:crypto';
import { DURABLE_FORMAT, DURABLE_VERSION } from '@rollcall/contract';
import { z } from 'zod';
import { type InstanceRecord, isPassing, type ResourceRecord } from '../record.ts';
import type { StoreSnapshot } from '../store.ts';

const FORMAT = DURABLE_FORMAT;
const VERSION = DURABLE_VERSION;

/** What survives the process: declared objects, overrides, and instances without a lease. */
export interface DurablePart {
  readonly resources: readonly ResourceRecord[];
  readonly instances: readonly InstanceRecord[];
}

const Claim = z.object({ pool: z.enum(['clusterIps', 'nodePorts']), number: z.int().min(0) });
const Resource = z.object({
  key: z.string().regex(/^[a-z]+\/[^/]+\/.+$/),
  revision: z.number(),
  untilMs: z.number(),
  claims: z.array(Claim),
  value: z.string(),
});
const Instance = z.looseObject({
  namespace: z.string(),
  service: z.string(),
  id: z.string(),
  revision: z.number(),
  lease: z.literal(''),
  body: z.looseObject({ address: z.string() }),
});
const File = z.object({
  format: z.literal(FORMAT),
  version: z.literal(VERSION),
  checksum: z.string(),
  content: z.object({ resources: z.array(Resource), instances: z.array(Instance) }),
});

/** The text is not a durable part, or an incomplete one; the message says why. Nothing of it may be used. */
class DurableFormatError extends Error {
  override readonly name = 'DurableFormatError';
}

/** Leases end with the process, so they are not kept either. */
const isDurable = ({ key }: Pick<ResourceRecord, 'key'>): boolean => !isPassing(key);

export function durablePartOf({ resources, instances }: StoreSnapshot): DurablePart {
  return {
    resources: resources.filter(isDurable),
    instances: instances.filter(({ lease }) => lease === ''),
  };
}

const checksumOf = (content: unknown) =>
  `sha256:${createHash('sha256').update(JSON.stringify(content)).digest('hex')}`;

/** With a version and a checksum. */
export interface DurableFileContent {
  readonly format: typeof FORMAT;
  readonly version: typeof VERSION;
  readonly checksum: string;
  readonly content: DurablePart;
}

export function durableFileOf(content: DurablePart): DurableFileContent {
  return { format: FORMAT, version: VERSION, checksum: checksumOf(content), content };
}

/** As text. */
export function encodeDurable(content: DurablePart): string {
  return `${JSON.stringify(durableFileOf(content))}\n`;
}

/** Reads it back. Throws a {@link DurableFormatError}. */
export function decodeDurable(text: string): DurablePart {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new DurableFormatError('expected JSON as the registry wrote it; it may be cut short');
  }
  const { version, format } = (json ?? {}) as { version?: unknown; format?: unknown };
  if (format === FORMAT && version !== VERSION) {
    throw new DurableFormatError(`expected version ${VERSION}, got ${JSON.stringify(version)}`);
  }
  const result = File.safeParse(json);
  if (!result.success) {
    const [issue] = result.error.issues;
    const where = issue?.path.join('.') ?? '';
    throw new DurableFormatError(`expected what the registry writes; ${where}: ${issue?.message}`);
  }
  // The checksum covers the content of the text itself, including fields that the schema ignores.
  const { content } = json as { content: DurablePart };
  const expected = checksumOf(content);
  if (result.data.checksum !== expected) {
    throw new DurableFormatError(
      `expected checksum ${expected}, got ${result.data.checksum}: the content was changed or damaged`,
    );
  }
  // Files of older versions have no write numbers.
  const instances = content.instances.map((one) => ({ ...one, sequence: one.sequence ?? 0 }));
  return { ...content, instances };
}
