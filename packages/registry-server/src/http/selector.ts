import { LabelKey, LabelValue, ProblemError } from '@rollcall/contract';

type Requirement = readonly [key: string, value: string];

/** Reads `k=v,k2=v2`; all must hold. Throws `invalid_request` naming the part that is wrong. */
export function parseSelector(text: string): Requirement[] {
  return text.split(',').map((part) => {
    const [key = '', value, ...rest] = part.split('=');
    const isWrong =
      value === undefined ||
      rest.length > 0 ||
      !LabelKey.safeParse(key).success ||
      !LabelValue.safeParse(value).success;
    if (isWrong) {
      const message = `expected label=value, comma-separated, got ${JSON.stringify(part)}`;
      throw new ProblemError('invalid_request', message, { field: 'selector' });
    }
    return [key, value];
  });
}

export function matchesSelector(
  selector: readonly Requirement[],
  labels: Readonly<Record<string, string>>,
): boolean {
  return selector.every(([key, value]) => labels[key] === value);
}
