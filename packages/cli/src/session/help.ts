import type { Command, OptionSpec, Options } from './command.ts';
import { tableText } from '../output/table.ts';

/** Global options, available for every command. */
export const GLOBAL: Options = {
  registry: {
    type: 'string',
    multiple: true,
    value: 'URL',
    help: 'URL of the registry; several separated by commas, or repeated; default: ROLLCALL_URL, else http://127.0.0.1:7400',
  },
  token: { type: 'string', value: 'TOKEN', help: 'Bearer token; --token-file is safer' },
  'token-file': {
    type: 'string',
    value: 'FILE',
    help: 'File with the token; default: ROLLCALL_TOKEN, or the file that ROLLCALL_TOKEN_FILE names',
  },
  'registry-ca': {
    type: 'string',
    value: 'FILE',
    help: "CA certificates (PEM) to verify the registry's certificate; default: ROLLCALL_CA",
  },
  'registry-cert': {
    type: 'string',
    value: 'FILE',
    help: 'Client certificate (PEM), if the registry asks for one; default: ROLLCALL_CERT',
  },
  'registry-key': {
    type: 'string',
    value: 'FILE',
    help: 'Its private key (PEM); default: ROLLCALL_KEY',
  },
  namespace: {
    type: 'string',
    short: 'n',
    value: 'NAMESPACE',
    help: 'Namespace; default: ROLLCALL_NAMESPACE, else default',
  },
  help: { type: 'boolean', short: 'h', help: 'Show the options of a command' },
};

/** Rows of a help text, indented. */
function indented(rows: readonly (readonly string[])[]): string {
  return tableText(rows).replaceAll(/^/gm, '  ').trimEnd();
}

function optionRow([name, { short, value, help }]: [string, OptionSpec]): string[] {
  const flags = short === undefined ? `    --${name}` : `-${short}, --${name}`;
  return [value === undefined ? flags : `${flags} ${value}`, help];
}

/** A program beside the commands, such as `rollcall registry`. */
export interface OtherProgram {
  readonly name: string;
  /** One line. */
  readonly summary: string;
}

export function programHelp(
  commands: readonly Command[],
  programs: readonly OtherProgram[] = [],
): string {
  const rows = programs.map(({ name, summary }) => [name, summary]);
  const others =
    rows.length === 0 ? '' : `\nPrograms, each with its own --help:\n${indented(rows)}\n`;
  return `rollcall: services, endpoints and instances of a Rollcall registry

  rollcall COMMAND [ARGUMENT...] [options]
  rollcall --version

Commands:
${indented(commands.map(({ name, summary }) => [name, summary]))}
${others}
Options of every command:
${indented(Object.entries(GLOBAL).map(optionRow))}

Examples:
  rollcall get svc
  rollcall create -f svc.yaml
  rollcall run --service web --port 8080 -- python3 -m http.server 8080
  rollcall COMMAND --help

Exit codes: 0 done, 1 refused or failed (diff: there are differences), 2 wrong command line; run ends with its command's.
`;
}

export function commandHelp({ summary, usage, examples, options }: Command): string {
  const own = Object.entries(options);
  const optionText = own.length === 0 ? '' : `\nOptions:\n${indented(own.map(optionRow))}\n`;
  return `${summary}.

  rollcall ${usage}
${optionText}
Options of every command:
${indented(Object.entries(GLOBAL).map(optionRow))}

Examples:
${examples.map((example) => `  rollcall ${example}`).join('\n')}
`;
}
