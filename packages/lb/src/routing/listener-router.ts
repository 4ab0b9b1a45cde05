import type { Forward, RequestView, Respond, Router, TargetGroup } from '@rollcall/dataplane';
import type { ActionConfig, ListenerConfig } from '../config/schema.ts';
import { HostTable } from './host-table.ts';
import { RedirectAction } from './redirect.ts';

const NO_RULE: Respond = Object.freeze({
  kind: 'respond',
  status: 404,
  code: 'no_rule',
  detail: 'no rule of this listener matches the host and path of the request',
});

type Action = Forward | Respond | RedirectAction;

/** What actions refer to. */
export interface ActionParts {
  readonly groups: ReadonlyMap<string, TargetGroup>;
  /** The port to which redirected clients are sent. */
  readonly httpsPort: () => number;
}

/** The rules of one listener. */
export class ListenerRouter implements Router {
  readonly #rules = new HostTable<Action>();
  readonly #default: Action;

  /** @throws Error when a rule names a group that is not in `groups`. */
  constructor(listener: ListenerConfig, parts: ActionParts) {
    for (const rule of listener.rules) {
      this.#rules.add(rule.host, rule.path, createAction(rule, parts));
    }
    const fallback = listener.default;
    this.#default = fallback === undefined ? NO_RULE : createAction(fallback, parts);
  }

  route(request: RequestView): Forward | Respond {
    const action = this.#rules.find(request.host, request.path) ?? this.#default;
    return action.kind === 'redirect' ? action.answer(request) : action;
  }
}

function createAction(
  { targetGroup, fixedResponse, redirect }: ActionConfig,
  { groups, httpsPort }: ActionParts,
): Action {
  if (redirect !== undefined) return new RedirectAction(redirect, httpsPort);
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
