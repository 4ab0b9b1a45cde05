import { DockerfileParser, type Instruction } from 'dockerfile-ast';

/** One instruction, as far as building needs it. */
export interface Step {
  readonly keyword: string;
  /** Where it is, for error messages: `Dockerfile:12`. */
  readonly at: string;
  /** `--from=build` as from -> build. */
  readonly flags: Readonly<Record<string, string>>;
  readonly words: readonly string[];
  /** Everything after keyword and flags, its lines joined. */
  readonly text: string;
  /** NAME=VALUE pairs of ENV, ARG and LABEL, with variables in place. */
  readonly pairs: ReadonlyMap<string, string>;
}

export interface Stage {
  /** The image it begins with. */
  readonly base: string;
  readonly name: string | undefined;
  readonly steps: readonly Step[];
}

const PAIRED = new Set(['ENV', 'ARG', 'LABEL']);

/** The parser has these on classes of single instructions. */
type Detailed = Instruction & {
  getFlags?: () => readonly { getName(): string; getValue(): string | null }[];
  getProperties?: () => readonly { getName(): string; getValue(): string | null }[];
  getProperty?: () => { getName(): string; getValue(): string | null } | null;
};

/** The stages of a Dockerfile, in their order. Throws if a step comes before the first FROM. */
export function readDockerfile(text: string): Stage[] {
  const stages: (Stage & { readonly steps: Step[] })[] = [];
  const variables = new Map<string, string>();
  for (const instruction of DockerfileParser.parse(text).getInstructions()) {
    const step = stepOf(instruction, variables);
    if (step.keyword === 'FROM') {
      const [base = '', , name] = step.words;
      stages.push({ base, name, steps: [] });
      variables.clear();
      continue;
    }
    const stage = stages.at(-1);
    if (stage === undefined) throw new Error(`${step.at}: ${step.keyword} before the first FROM`);
    if (step.keyword !== 'LABEL') for (const [key, value] of step.pairs) variables.set(key, value);
    stage.steps.push(step);
  }
  return stages;
}

function stepOf(instruction: Detailed, variables: ReadonlyMap<string, string>): Step {
  const keyword = instruction.getKeyword();
  const flags = (instruction.getFlags?.() ?? []).map(
    (flag) => [flag.getName(), flag.getValue() ?? ''] as const,
  );
  const one = instruction.getProperty?.();
  const properties = instruction.getProperties?.() ?? (one === null || !one ? [] : [one]);
  const inPlace = (value: string) =>
    value.replaceAll(/\$\{?(\w+)\}?/g, (_, name: string) => variables.get(name) ?? '');
  return {
    keyword,
    at: `Dockerfile:${instruction.getRange().start.line + 1}`,
    flags: Object.fromEntries(flags),
    words: instruction.getArguments().map((argument) => argument.getValue()),
    text: instruction.getArgumentsContent() ?? '',
    pairs: new Map(
      PAIRED.has(keyword)
        ? properties.map((property) => [property.getName(), inPlace(property.getValue() ?? '')])
        : [],
    ),
  };
}

/** The words of `["node", "main.js"]` in ENTRYPOINT, or after CMD in HEALTHCHECK. Throws for the form with a shell. */
export function commandOf({ at, keyword, text }: Step): string[] {
  const json = /^(?:CMD\s+)?(\[.*\])$/.exec(text)?.[1];
  if (json === undefined)
    throw new Error(`${at}: ${keyword}: expected ["PROGRAM", ...], got ${text}`);
  return JSON.parse(json) as string[];
}

/** The last step of that kind in a stage: the one that counts. */
export function lastOf({ steps }: Stage, keyword: string): Step {
  const step = steps.findLast((one) => one.keyword === keyword);
  if (step === undefined) throw new Error(`Dockerfile: the last stage has no ${keyword}`);
  return step;
}
