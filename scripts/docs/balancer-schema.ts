import { configJsonSchema } from '@rollcall/lb';
import { balancerKeys } from './balancer-keys.ts';

interface Node {
  description?: string;
  readonly properties?: Record<string, Node>;
  readonly items?: Node;
  readonly additionalProperties?: Node | false;
  readonly anyOf?: readonly Node[];
  type?: string | readonly string[];
}

/** The configuration file of the balancer as a JSON schema, with a text for each key, for editors. */
export function balancerSchema(root: string): string {
  const schema = configJsonSchema() as Node;
  for (const { key, text, fallback } of balancerKeys(root)) {
    const standard = fallback === '' ? '' : `Default: ${fallback}.`;
    const description = [text, standard].filter((part) => part !== '').join(' ');
    if (description === '') continue;
    for (const node of find([schema], key.split('.'))) node.description = description;
  }
  const named = { title: 'The configuration file of rollcall-lb', ...schema };
  return `${JSON.stringify(named, undefined, 2)}\n`;
}

/** `path`: names, each with `[]` if it is a list; NAME: any name. */
function find(nodes: readonly Node[], [step, ...rest]: readonly string[]): readonly Node[] {
  if (step === undefined) return nodes;
  const name = step.replace('[]', '');
  const below = nodes
    .flatMap((node) => [node, ...(node.anyOf ?? []), ...itemsOf(node)])
    .flatMap((node) => {
      const next = name === 'NAME' ? node.additionalProperties : node.properties?.[name];
      return next === undefined || next === false ? [] : [next];
    });
  return find(below, rest);
}

/** A list stands for its items, where the path does not say so. */
function itemsOf({ items, anyOf = [] }: Node): readonly Node[] {
  const all = [items, ...anyOf.map((one) => one.items)].filter((one) => one !== undefined);
  return all.flatMap((one) => [one, ...(one.anyOf ?? [])]);
}
