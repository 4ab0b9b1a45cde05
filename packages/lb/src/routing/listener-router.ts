import type { Forward, RequestView, Respond, Router, TargetGroup } from '@rollcall/dataplane';
import type { ActionConfig, ListenerConfig } from '../config/schema.ts';
import { HostTable } from './host-table.ts';

const NO_RULE: Respond = Object.freeze({
  kind: 'respond',
  status: 404,
  code: 'no_rule',
  detail: 'no rule of this listener matches the host and path of the request',
});

/** The rules of one listener. */
export class ListenerRouter implements Router {
  readonly #rules = new HostTable<Forward | Respond>();
  readonly #default: Forward | Respond;

  /** @throws Error when a rule names a group that is not in `groups`. */
  constructor(listener: ListenerConfig, groups: ReadonlyMap<string, TargetGroup>) {
    for (const rule of listener.rules) {
      this.#rules.add(rule.host, rule.path, createAction(rule, groups));
    }
    const fallback = listener.default;
    this.#default = fallback === undefined ? NO_RULE : createAction(fallback, groups);
  }

  route(request: RequestView): Forward | Respond {
    return this.#rules.find(request.host, request.path) ?? this.#default;
  }
}

function createAction(
  { targetGroup, fixedResponse }: ActionConfig,
  groups: ReadonlyMap<string, TargetGroup>,
): Forward | Respond {
  if (targetGroup !== undefined) {
    const group = groups.get(targetGroup);
    if (group === undefined) throw new Error(`no such target group: ${targetGroup}`);
    return Object.freeze({ kind: 'forward', group });
  }
  const { status, body, contentType } = fixedResponse!;
  return Object.freeze({
    kind: 'respond',
    status,
    code: 'fixed_response',
    detail: 'the configuration answers this path itself',
    content: body === undefined ? undefined : { type: contentType, body },
  });
}
