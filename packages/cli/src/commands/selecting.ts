/** Options for selecting objects, shared by several commands. */
export const SELECTING = {
  selector: {
    type: 'string',
    short: 'l',
    value: 'SELECTOR',
    help: 'Select by labels: k=v, k!=v, k in (a,b), k, !k, separated by commas',
  },
  'all-namespaces': { type: 'boolean', short: 'A', help: 'In all namespaces' },
} as const;

export const FIELD_SELECTOR = {
  type: 'string',
  value: 'FIELD=VALUE,...',
  help: 'Select by fields: path=value or path!=value, separated by commas',
} as const;

export const OUTPUT = {
  type: 'string',
  short: 'o',
  value: 'FORMAT',
  help: 'wide, yaml, json, name, jsonpath=TEMPLATE, go-template=TEMPLATE or custom-columns=HEADER:.path,...',
} as const;
