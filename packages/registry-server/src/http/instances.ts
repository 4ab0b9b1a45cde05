import type { Registry } from '../writes/registry.ts';
import { answer } from './answer.ts';
import type { Binder } from './call.ts';

interface InstanceParams {
  readonly ns: string;
  readonly svc: string;
  readonly id: string;
}

export interface InstanceLimits {
  /** Limit per caller; 0 = no limit. */
  readonly maxWritesPerSecond: number;
  readonly maxBodyBytes: number;
  readonly maxLabels: number;
  readonly maxLabelLength: number;
}

/** Largest registration without labels, in bytes: 64 ports with names, and some room. */
const BARE_BYTES = 16_384;
/** Longest label key, with quotes and commas, in bytes. */
const LABEL_KEY_BYTES = 330;

/**
 * A body larger than the limits allow is refused before it is read: checking a thousand labels costs as much as a
 * hundred writes.
 */
function bodyBytesOf({
  maxBodyBytes,
  maxLabels,
  maxLabelLength,
}: Omit<InstanceLimits, 'maxWritesPerSecond'>) {
  return Math.min(maxBodyBytes, BARE_BYTES + maxLabels * (LABEL_KEY_BYTES + maxLabelLength));
}

const refOf = ({ ns, svc, id }: InstanceParams) => ({ namespace: ns, service: svc, id });

/** The calls that change instances. */
export function bindInstances(
  binder: Binder,
  registry: Registry,
  { maxWritesPerSecond: maxPerSecond, ...limits }: InstanceLimits,
): void {
  const options = { maxPerSecond, maxBodyBytes: bodyBytesOf(limits) };
  binder.bind(
    'register',
    async ({ caller, params, query, body, reply }) =>
      answer(reply, await registry.register(caller, refOf(params), body, query.takeover)),
    options,
  );
  binder.bind(
    'patchInstance',
    async ({ caller, params, query, body, reply }) =>
      answer(reply, await registry.patch(caller, refOf(params), body, query.lease)),
    options,
  );
  binder.bind(
    'deregister',
    async ({ caller, params, query, reply }) =>
      answer(reply, await registry.deregister(caller, refOf(params), query)),
    { ...options, priority: 'vital' },
  );
  binder.bind(
    'putOverride',
    async ({ params, body, reply }) => answer(reply, await registry.override(refOf(params), body)),
    options,
  );
  binder.bind(
    'deleteOverride',
    async ({ params, reply }) => answer(reply, await registry.liftOverride(refOf(params))),
    options,
  );
}
