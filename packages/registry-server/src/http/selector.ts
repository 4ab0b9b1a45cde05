import { LabelKey, LabelValue, ProblemError } from '@rollcall/contract';

/** One requirement on a set of labels. */
interface Requirement {
  readonly key: string;
  readonly operator: 'in' | 'notin' | 'exists' | 'absent';
  readonly values: readonly string[];
}

const SET = /^([^\s!=(),]+)\s+(in|notin)\s*\(([^()]*)\)$/;
const EQUAL = /^([^\s!=(),]+)\s*(==|=|!=)\s*([^\s!=(),]*)$/;
const BARE = /^(!?)\s*([^\s!=(),]+)$/;

/**
 * Reads a label selector in kubectl's syntax: `k=v`, `k==v`, `k!=v`, `k in (a,b)`, `k notin (a)`, `k`, `!k`, ANDed by
 * commas. Throws `invalid_request` with the wrong part.
 */
export function parseSelector(text: string): Requirement[] {
  if (text.trim() === '') return [];
  // Commas inside brackets separate values, not requirements.
  return text.split(/,(?![^(]*\))/).map((part) => {
    const requirement = requirementOf(part.trim());
    const isWrong =
      requirement === undefined ||
      !LabelKey.safeParse(requirement.key).success ||
      requirement.values.some((value) => !LabelValue.safeParse(value).success);
    if (!isWrong) return requirement;
    const expected = 'expected label=value, label!=value, label in (a,b), label or !label';
    const message = `${expected}, comma-separated, got ${JSON.stringify(part)}`;
    throw new ProblemError('invalid_request', message, { field: 'selector' });
  });
}

function requirementOf(part: string): Requirement | undefined {
  const set = SET.exec(part);
  if (set !== null) {
    const [, key = '', operator, list = ''] = set;
    const values = list.split(',').map((value) => value.trim());
    return { key, operator: operator === 'in' ? 'in' : 'notin', values };
  }
  const equal = EQUAL.exec(part);
  if (equal !== null) {
    const [, key = '', sign, value = ''] = equal;
    return { key, operator: sign === '!=' ? 'notin' : 'in', values: [value] };
  }
  const bare = BARE.exec(part);
  if (bare === null) return undefined;
  return { key: bare[2] ?? '', operator: bare[1] === '!' ? 'absent' : 'exists', values: [] };
}

export function matchesSelector(
  selector: readonly Requirement[],
  labels: Readonly<Record<string, string>>,
): boolean {
  return selector.every(({ key, operator, values }) => {
    const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
    switch (operator) {
      case 'in':
        return value !== undefined && values.includes(value);
      // As in Kubernetes: a missing label is not in any set.
      case 'notin':
        return value === undefined || !values.includes(value);
      case 'exists':
        return value !== undefined;
      default:
        return value === undefined;
    }
  });
}
