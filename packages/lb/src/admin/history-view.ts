import type { AdminRequest } from '@rollcall/daemon';
import type { TargetHistory } from '../groups/target-history.ts';

/**
 * `GET /targets/history`: the last changes of each target, the last one last. The parameters `group` and `target` choose;
 * `target` is an id or an instance.
 */
export function historyView(
  history: TargetHistory,
  names: readonly string[],
  { query: { group, target } }: AdminRequest,
) {
  const isMeant = (id: string): boolean =>
    target === undefined || id === target || id.startsWith(`${target}/`);
  return {
    targetGroups: names
      .filter((name) => group === undefined || name === group)
      .map((name) => ({
        name,
        targets: [...history.of(name)]
          .filter(([id]) => isMeant(id))
          .map(([id, changes]) => ({
            id,
            changes: changes.map(({ atMs, ...change }) => {
              return { at: new Date(atMs).toISOString(), ...change };
            }),
          })),
      })),
  };
}
