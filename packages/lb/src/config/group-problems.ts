import { isMapping, type Mapping, mappingsAt } from './mapping.ts';
import type { ConfigProblem } from './problem.ts';

/** Settings of target groups that do not go together. */
export function groupProblems(data: unknown): ConfigProblem[] {
  const hasZone = isMapping(data) && data['zone'] !== undefined;
  return mappingsAt(data, ['targetGroups']).flatMap(([name, group]) => {
    const problem = (key: string, message: string): ConfigProblem => {
      return { path: ['targetGroups', name, key], at: 'key', message };
    };
    return [
      ...(isQueueOfNoUse(group)
        ? [problem('queue', 'of no use, got no maxRequestsPerTarget, expected that limit besides')]
        : []),
      ...(group['preferZone'] === true && !hasZone
        ? [
            problem(
              'preferZone',
              'of no use, got no zone, expected the zone of the balancer at the top',
            ),
          ]
        : []),
    ];
  });
}

function isQueueOfNoUse({ queue, maxRequestsPerTarget }: Mapping): boolean {
  return queue !== undefined && maxRequestsPerTarget === undefined;
}
