import { readFileSync } from 'node:fs';
import { systemClock } from '@rollcall/runtime';
import {
  type Document,
  LineCounter,
  type Node,
  type Pair,
  isMap,
  isNode,
  isScalar,
  parseDocument,
  visit,
} from 'yaml';
import { namedFiles } from './named-files.ts';
import { substituteEnvironment } from './environment.ts';
import { certificateProblems } from './certificate-problems.ts';
import { certificateWarnings } from './certificate-warnings.ts';
import { ConfigError, type ConfigProblem, formatPath, type PlaceOf } from './problem.ts';
import { groupProblems } from './group-problems.ts';
import { withNearZones } from './near-zones.ts';
import { referenceProblems } from './reference-problems.ts';
import { ruleWarnings } from './rule-warnings.ts';
import { type Config, ConfigSchema } from './schema.ts';
import { shapeProblems } from './shape-problems.ts';
import { tlsProblems } from './tls-problems.ts';

/** A configuration, and where its keys are in the file. */
export interface LoadedConfig {
  readonly config: Config;
  /** The files that it names, such as that of the token; they were read too. */
  readonly files: readonly string[];
  /** `file:line:column` of a key; of what is nearest, if it is not in the file. */
  placeOf(path: readonly PropertyKey[]): string;
  /**
   * What is allowed, but probably not meant, each with its place. It is looked for anew with each call; in a listener with
   * more than `mostRules`, rules are not compared with each other.
   */
  warnings(mostRules?: number): readonly string[];
}

/**
 * Reads a configuration file.
 * @throws ConfigError with all faults, each as `file:line:column: path: what, got ..., expected ...`.
 */
export function readConfigFile(file: string, environment: NodeJS.ProcessEnv): Config {
  return loadConfigFile(file, environment).config;
}

/** Like `readConfigFile`, with the places. */
export function loadConfigFile(file: string, environment: NodeJS.ProcessEnv): LoadedConfig {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new ConfigError([`${file}: cannot be read: ${(error as Error).message}`]);
  }
  return loadConfig(text, file, environment);
}

/** Like `readConfigFile`, for a given text; `file` is its name in messages. */
export function parseConfig(text: string, file: string, environment: NodeJS.ProcessEnv): Config {
  return loadConfig(text, file, environment).config;
}

/** Like `loadConfigFile`, for a given text; `file` is its name in messages. */
export function loadConfig(
  text: string,
  file: string,
  environment: NodeJS.ProcessEnv,
): LoadedConfig {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const place = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${file}:${line}:${col}`;
  };
  if (document.errors.length > 0) {
    throw new ConfigError(
      document.errors.map(({ pos, message }) => `${place(pos[0])}: not YAML: ${message}`),
    );
  }
  const unset: string[] = [];
  substituteEnvironment(document, environment, (name, offset) => {
    const expected = `expected it to be set, or a default as in \${${name}:-value}`;
    unset.push(`${place(offset)}: environment variable ${name} is not set, ${expected}`);
  });
  const data: unknown = dataOf(document, place) ?? {};
  const parsed = ConfigSchema.safeParse(data);
  const problems = [
    ...shapeProblems(parsed.error?.issues ?? [], data),
    ...referenceProblems(data),
    ...tlsProblems(data),
    ...groupProblems(data),
    ...certificateProblems(data, systemClock.wallMs()),
  ].map((problem) => ({ offset: offsetOf(document, problem), problem }));
  if (!parsed.success || problems.length > 0 || unset.length > 0) {
    const found = problems
      .toSorted((a, b) => a.offset - b.offset)
      .map(({ offset, problem }) => formatProblem(place(offset), problem));
    throw new ConfigError([...unset, ...new Set(found)]);
  }
  const config = Object.freeze(withNearZones(parsed.data));
  const placeOf: PlaceOf = (path) => place(offsetOf(document, { path, at: 'value', message: '' }));
  const warnings = (mostRules = Infinity) => warningsOf(config, placeOf, mostRules);
  return { config, files: namedFiles(data), placeOf, warnings };
}

function warningsOf(config: Config, placeOf: PlaceOf, mostRules: number): string[] {
  const found = [
    ...ruleWarnings(config, placeOf, mostRules),
    ...certificateWarnings(config, systemClock.wallMs()),
  ];
  return found.map((warning) => formatProblem(placeOf(warning.path), warning));
}

/** Resolves aliases, which may have no target or expand too far. */
function dataOf(document: Document, place: (offset: number) => string): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    throw new ConfigError([`${place(aliasOffset(document))}: ${(error as Error).message}`]);
  }
}

/** Position of the first alias; the best known position for an error in resolving aliases. */
function aliasOffset(document: Document): number {
  let offset = 0;
  visit(document, {
    Alias(_, node) {
      offset = node.range?.[0] ?? 0;
      return visit.BREAK;
    },
  });
  return offset;
}

function formatProblem(place: string, { path, message }: ConfigProblem): string {
  return `${place}: ${path.length === 0 ? 'file' : formatPath(path)}: ${message}`;
}

/** Position of the problem; for something missing, the place where it is missing. */
function offsetOf(document: Document, { path, at }: ConfigProblem): number {
  if (at === 'key') {
    const parent = document.getIn(path.slice(0, -1), true);
    const pair = isMap(parent) ? parent.items.find((item) => hasKey(item, path.at(-1))) : undefined;
    const key = pair?.key;
    if (isNode(key)) return startOf(key);
  }
  for (let length = path.length; length > 0; length--) {
    const node = document.getIn(path.slice(0, length), true);
    if (isNode(node)) return startOf(node);
  }
  return isNode(document.contents) ? startOf(document.contents) : 0;
}

function startOf(node: Node): number {
  return node.range?.[0] ?? 0;
}

function hasKey(pair: Pair, name: PropertyKey | undefined): boolean {
  return isScalar(pair.key) && String(pair.key.value) === String(name);
}
