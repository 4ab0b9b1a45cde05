import type { Respond } from '@rollcall/dataplane';
import type { ActionConfig } from '../../config/schema.ts';
import type { Action } from './action.ts';

/** The answer that the configuration has for a path. */
export function fixedAnswer({
  status,
  body,
  contentType,
}: NonNullable<ActionConfig['fixedResponse']>): Action {
  const answer: Respond = Object.freeze({
    kind: 'respond',
    status,
    code: 'fixed_response',
    detail: 'the configuration answers this path itself',
    content: body === undefined ? undefined : { type: contentType, body },
  });
  return { decide: () => answer };
}
