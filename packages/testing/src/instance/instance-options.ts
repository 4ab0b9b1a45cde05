import type { RequestListener } from 'node:http';
import type { RegisterOptions } from '@rollcall/client-sdk';

export interface TestInstanceOptions extends Pick<
  RegisterOptions,
  'labels' | 'zone' | 'weight' | 'ttlMs' | 'namespace' | 'status'
> {
  /** @default `<service>-1`, `<service>-2` ... */
  readonly id?: string;
  /** Port to listen on; 0 = any free one. @default 0 */
  readonly port?: number;
  /** Answers its requests, e.g. an Express app. @default it answers with its id */
  readonly handler?: RequestListener;
}
