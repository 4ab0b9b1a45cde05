import type { NoTarget } from '@rollcall/dataplane';
import type { TargetGroupConfig } from '../config/schema.ts';

export interface EmptyGroup {
  readonly name: string;
  readonly config: Pick<TargetGroupConfig, 'service' | 'namespace'>;
  /** Why there is no picture; undefined: there is one. */
  readonly noPicture: string | undefined;
  /** The states of its instances. */
  readonly states: readonly string[];
}

/** Why a group has no target for a request. */
export function explainNoTarget(group: EmptyGroup): NoTarget & { readonly cause: string } {
  const { name, config, noPicture, states } = group;
  const { service, namespace } = config;
  const what = `target group "${name}" (service ${service} in namespace ${namespace})`;
  if (noPicture !== undefined) {
    const cause = `${what} has no picture from the registry yet: ${noPicture}`;
    return { code: 'no_picture', detail: 'the targets for this request are not known yet', cause };
  }
  const known =
    states.length === 0
      ? 'no instance is registered'
      : `none of ${states.length} is ready: ${[...new Set(states)].join(', ')}`;
  const cause = `${what} has no target that takes requests: ${known}`;
  return { code: 'no_targets', detail: 'no target can take this request at the moment', cause };
}
