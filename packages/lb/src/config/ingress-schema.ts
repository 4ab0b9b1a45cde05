import { z } from 'zod';
import { flag, label, object, text } from './fields.ts';

export const IngressRouting = object({
  /** Name of the listener that gets the rules, or a list of names. */
  listener: z
    .union([label('a listener'), z.array(label('a listener')).min(1)], {
      error: 'expected the name of a listener, or a list of them',
    })
    .transform((names) => (typeof names === 'string' ? [names] : names)),
  /** Routes by those with this `ingressClassName`. @default rollcall */
  class: text('a class').default('rollcall'),
  /** Also by those without a class. @default true */
  isDefault: flag.default(true),
  /** Routes by those of one namespace; `*`: of all. @default * */
  namespace: z
    .union([z.literal('*'), label('a namespace')], { error: 'expected a namespace or *' })
    .default('*'),
});

export type IngressConfig = z.output<typeof IngressRouting>;
