import { StartError } from '@rollcall/daemon';
import { table } from './table.ts';

interface ShownHistory {
  readonly targetGroups: readonly {
    readonly targets: readonly {
      readonly id: string;
      readonly changes: readonly {
        readonly at: string;
        readonly event: string;
        readonly reason: string;
        readonly worker?: number;
      }[];
    }[];
  }[];
}

/** What `/targets/history` says of a group, for people: the last change last. @throws StartError if there is no group. */
export function historyLines(answer: unknown): string[] {
  const { targetGroups } = answer as ShownHistory;
  if (targetGroups.length === 0) throw new StartError('there is no target group of that name');
  const rows = targetGroups.flatMap(({ targets }) =>
    targets.flatMap(({ id, changes }) =>
      changes.map(({ at, event, reason, worker }) => {
        const by = worker === undefined ? '' : ` (worker ${worker})`;
        return [at, id, event, `${reason}${by}`];
      }),
    ),
  );
  const inTime = rows.toSorted(([a = ''], [b = '']) => a.localeCompare(b));
  return table([['TIME', 'TARGET', 'EVENT', 'REASON'], ...inTime]);
}
