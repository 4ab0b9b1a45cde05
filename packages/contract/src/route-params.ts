import { z } from 'zod';
import { NamespaceName, ServiceName } from './names.ts';

/** A switch in a query. */
export const flag = z
  .enum(['true', 'false'], { error: "expected 'true' or 'false'" })
  .transform((text) => text === 'true');

/** A namespace, or `*` for all. */
export const AnyNamespace = z.union([z.literal('*'), NamespaceName]);

export const ServiceParams = z.strictObject({ ns: NamespaceName, svc: ServiceName });

/** A label selector: `k=v`, `k!=v`, `k in (a,b)`, `k notin (a)`, `k`, `!k`, ANDed by commas. */
export const Selector = z.string().max(4_096);
