import type { OptionSpec, OptionTable } from './option-spec.ts';

const LISTS = {
  commas: ' For several, repeat it or separate them by commas.',
  spaces: ' For several, repeat it or separate them by spaces.',
};

/** The output of `--help`: the head, which says what the program does and how to start it, and every option. */
export function helpText(head: string, table: OptionTable): string {
  const rows = Object.values(table).map(optionHelp);
  return `${head.trimEnd()}

Options (environment variable in brackets; a flag wins):
${rows.join('')}  -h, --help
      Print this.
  --version
      Print the version.
`;
}

function optionHelp(option: OptionSpec): string {
  const { flag, value, list, env, help } = option;
  const standard = shownDefault(option);
  const notes = [
    ...(standard === undefined ? [] : [` [default: ${standard}]`]),
    ...(env === undefined ? [] : [` (${env})`]),
  ];
  const name = value === undefined ? `--[no-]${flag}` : `--${flag} ${value}`;
  return `  ${name}\n      ${help}${list === undefined ? '' : LISTS[list]}${notes.join('')}\n`;
}

/** The default as a user would write it; undefined when there is none to show. */
export function shownDefault({ fallback, value, schema }: OptionSpec): string | undefined {
  if (fallback !== undefined) return fallback;
  const standard: unknown = schema.safeParse(undefined).data;
  if (value === undefined) return standard === true ? 'on' : 'off';
  if (Array.isArray(standard) && standard.every((one) => typeof one === 'string')) {
    return standard.length === 0 ? undefined : standard.join();
  }
  return typeof standard === 'string' || typeof standard === 'number'
    ? String(standard)
    : undefined;
}
