import { SOURCES } from './group-schema.ts';
import { isMapping, listAt, type Mapping, mappingsAt } from './mapping.ts';
import type { ConfigProblem } from './problem.ts';

/** Settings of target groups that do not go together. */
export function groupProblems(data: unknown): ConfigProblem[] {
  const hasZone = isMapping(data) && data['zone'] !== undefined;
  return mappingsAt(data, ['targetGroups']).flatMap(([name, group]) => {
    const problem = (key: string, message: string): ConfigProblem => {
      return { path: ['targetGroups', name, key], at: 'key', message };
    };
    return [
      ...sourceProblems(group, ['targetGroups', name]),
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

/** Where the targets come from. */
function sourceProblems(group: Mapping, path: readonly PropertyKey[]): ConfigProblem[] {
  const isGiven = SOURCES.some((key) => group[key] !== undefined);
  if (!isGiven) {
    const message = 'missing, expected the name of a service, or targets or dns';
    return [{ path: [...path, 'service'], at: 'value', message }];
  }
  const own = ['namespace', 'port'].filter((key) => group[key] !== undefined);
  const useless = group['service'] === undefined ? own : [];
  return [
    ...useless.map((key): ConfigProblem => {
      const message = 'of no use, got no service, expected it together with one';
      return { path: [...path, key], at: 'key', message };
    }),
    ...doubleProblems(group, path),
    ...namelessProblems(group, path),
  ];
}

function doubleProblems(group: Mapping, path: readonly PropertyKey[]): ConfigProblem[] {
  const seen = new Set<string>();
  return listAt(group, ['targets']).flatMap(({ address, port }, at): ConfigProblem[] => {
    const key = `${String(address)}:${String(port)}`;
    if (!seen.has(key)) {
      seen.add(key);
      return [];
    }
    const message = `target used twice, got ${key}, expected each once`;
    return [{ path: [...path, 'targets', at], at: 'value', message }];
  });
}

/** An address proves nothing: the certificate of a target must be for a name. */
function namelessProblems(group: Mapping, path: readonly PropertyKey[]): ConfigProblem[] {
  const { scheme, service, dns, tls } = group;
  const { servername, insecureSkipVerify } = isMapping(tls) ? tls : {};
  const hasName = [service, dns, servername].some((one) => one !== undefined);
  if (scheme !== 'https' || hasName || insecureSkipVerify === true) return [];
  const message = 'no name, got https to addresses, expected tls: { servername: ... }';
  return [{ path: [...path, 'scheme'], at: 'key', message }];
}

function isQueueOfNoUse({ queue, maxRequestsPerTarget }: Mapping): boolean {
  return queue !== undefined && maxRequestsPerTarget === undefined;
}
