import { type Document, isScalar, visit } from 'yaml';

const VARIABLE = /\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}/g;
const WHOLE_NUMBER = /^(0|[1-9]\d{0,14})$/;

/**
 * Replaces `${NAME}` or `${NAME:-default}` in any value with environment variables. Without quotes around it, a number
 * stays a number. Calls `onUnset` for each variable that is neither set nor has a default.
 */
export function substituteEnvironment(
  document: Document,
  environment: NodeJS.ProcessEnv,
  onUnset: (name: string, offset: number) => void,
): void {
  visit(document, {
    Scalar(key, node) {
      if (key === 'key' || !isScalar(node) || typeof node.value !== 'string') return;
      if (!node.value.includes('${')) return;
      const replaced = node.value.replace(VARIABLE, (whole, name: string, fallback?: string) => {
        const value =
          (Object.hasOwn(environment, name) ? environment[name] : undefined) ?? fallback;
        if (value === undefined) onUnset(name, node.range?.[0] ?? 0);
        return value ?? whole;
      });
      const isNumber = node.type === 'PLAIN' && WHOLE_NUMBER.test(replaced);
      node.value = isNumber ? Number(replaced) : replaced;
    },
  });
}
