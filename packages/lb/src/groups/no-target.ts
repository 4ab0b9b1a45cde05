import type { NoTarget } from '@rollcall/dataplane';
import type { TargetGroupConfig } from '../config/schema.ts';

export interface EmptyGroup {
  readonly name: string;
  readonly config: Pick<TargetGroupConfig, 'service' | 'namespace' | 'targets' | 'dns'>;
  /** Why there is no picture; undefined: there is one. */
  readonly noPicture: string | undefined;
  /** The states of its instances. */
  readonly states: readonly string[];
}

/** Why a group has no target for a request. */
export function explainNoTarget(group: EmptyGroup): NoTarget & { readonly cause: string } {
  const { name, config, noPicture, states } = group;
  const what = `target group "${name}" (${sourcesOf(config)})`;
  if (noPicture !== undefined) {
    const from = config.service === undefined ? '' : ' from the registry';
    const cause = `${what} has no picture${from} yet: ${noPicture}`;
    return { code: 'no_picture', detail: 'the targets for this request are not known yet', cause };
  }
  const known =
    states.length === 0
      ? `no ${config.service === undefined ? 'target is known' : 'instance is registered'}`
      : `none of ${states.length} is ready: ${[...new Set(states)].join(', ')}`;
  const cause = `${what} has no target that takes requests: ${known}`;
  return { code: 'no_targets', detail: 'no target can take this request at the moment', cause };
}

function sourcesOf({ service, namespace, targets, dns }: EmptyGroup['config']): string {
  return [
    ...(service === undefined ? [] : [`service ${service} in namespace ${namespace}`]),
    ...(targets === undefined ? [] : [`${targets.length} targets of the configuration`]),
    ...(dns === undefined ? [] : [`addresses of ${dns.name}`]),
  ].join(', ');
}
