import { mappingsAt } from './mapping.ts';
import type { ConfigProblem } from './problem.ts';

/** Settings of target groups that do not go together. */
export function groupProblems(data: unknown): ConfigProblem[] {
  return mappingsAt(data, ['targetGroups']).flatMap(([name, { queue, maxRequestsPerTarget }]) => {
    if (queue === undefined || maxRequestsPerTarget !== undefined) return [];
    const message = 'of no use, got no maxRequestsPerTarget, expected that limit besides';
    return [{ path: ['targetGroups', name, 'queue'], at: 'key', message }];
  });
}
