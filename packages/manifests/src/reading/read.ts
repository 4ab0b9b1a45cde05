import {
  type Document,
  isCollection,
  isMap,
  isNode,
  isScalar,
  LineCounter,
  parseAllDocuments,
} from 'yaml';
import type { z } from 'zod';
import { examine, type Kind, KINDS, type Manifest } from '../kinds.ts';
import { fieldOf, type ManifestFault, pathOf } from './fault.ts';
import { nearest } from './nearest.ts';
import { keysAt } from './schema-keys.ts';
import { diagnoseService, type Locate } from './service-doctor.ts';
import { diagnoseText } from './text-doctor.ts';

/** Most documents of one file. */
const MAX_DOCUMENTS = 1_000;

/** One manifest of a file, defaults filled in. Use it only when `faults` is empty. */
export interface ReadManifest {
  /** Undefined when it could not be decoded. */
  readonly manifest: Manifest | undefined;
  /** As it was written, without defaults: what `apply` merges. */
  readonly given: Manifest | undefined;
  /** `Service "nginx"`, as far as it could be told. */
  readonly name: string;
  /** Line at which it begins, 1-based. */
  readonly line: number;
  readonly faults: readonly ManifestFault[];
}

/** Everything in a file. */
export interface ReadFile {
  readonly manifests: readonly ReadManifest[];
  /** Faults of the text itself: nothing of it may be used then. */
  readonly faults: readonly ManifestFault[];
}

type Path = readonly (string | number)[];

/** Reads YAML or JSON: several documents, and `kind: List`. Never throws; every fault has a line. */
export function readManifests(text: string): ReadFile {
  const lines = new LineCounter();
  const textFaults = diagnoseText(text);
  const documents = parseAllDocuments(text, { lineCounter: lines, strict: true, uniqueKeys: true });
  const parsed = Array.isArray(documents) ? documents : [];
  const faults: ManifestFault[] = [...textFaults];
  for (const { errors } of parsed) {
    // What the text alone shows explains what the parser stumbles over.
    for (const { pos, message } of textFaults.length > 0 ? [] : errors) {
      const { line, col } = lines.linePos(pos[0]);
      const [first = message] = message.split('\n');
      faults.push({
        line,
        column: col,
        field: '',
        message: first.replace(/ at line.*$/, ''),
        fix: '',
      });
    }
  }
  if (parsed.length > MAX_DOCUMENTS) {
    const message = `expected at most ${MAX_DOCUMENTS} documents, got ${parsed.length}`;
    return { manifests: [], faults: [{ line: 1, column: 1, field: '', message, fix: '' }] };
  }
  if (faults.length > 0) return { manifests: [], faults };
  return { manifests: parsed.flatMap((document) => readDocument(document, lines)), faults: [] };
}

function readDocument(document: Document.Parsed, lines: LineCounter): ReadManifest[] {
  const value = valueOf(document);
  if (value instanceof Error) {
    const fault = { line: 1, column: 1, field: '', message: value.message, fix: '' };
    return [refused('object ""', fault, [fault])];
  }
  if (value === null || value === undefined) return [];
  const locate: Locate = (path) => {
    for (let end = path.length; end >= 0; end--) {
      const node = nodeAt(document, path.slice(0, end));
      if (!isNode(node) || !node.range) continue;
      const { line, col } = lines.linePos(node.range[0]);
      return { line, column: col };
    }
    return { line: 1, column: 1 };
  };
  const { kind, items } = value as { kind?: unknown; items?: unknown };
  if (kind !== 'List') return [readValue(value, [], locate)];
  if (!Array.isArray(items)) {
    const message = 'Required value: a List has items';
    return [refused('List', locate([]), [{ ...locate([]), field: 'items', message, fix: '' }])];
  }
  return items.map((item, i) => readValue(item, ['items', i], locate));
}

/** What a document says; an error where its aliases lead nowhere, or to too much. */
function valueOf(document: Document.Parsed): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    return error;
  }
}

/** A key where the path ends at a field whose value is a collection: that is where the field is seen to stand. */
function nodeAt(document: Document.Parsed, path: Path): unknown {
  const last = path.at(-1);
  const parent = path.length < 2 ? document.contents : document.getIn(path.slice(0, -1), true);
  const value = path.length === 0 ? document.contents : document.getIn(path, true);
  if (!isCollection(value) || !isMap(parent)) return value;
  return parent.items.find(({ key }) => isScalar(key) && key.value === last)?.key ?? value;
}

function refused(name: string, { line }: { line: number }, faults: ManifestFault[]): ReadManifest {
  return { manifest: undefined, given: undefined, name, line, faults };
}

function readValue(value: unknown, root: Path, locateRoot: Locate): ReadManifest {
  const locate: Locate = (path) => locateRoot([...root, ...path]);
  const where = locate([]);
  const { apiVersion, kind, metadata } = (value ?? {}) as Record<string, unknown>;
  const known = KINDS[kind as Kind] as (typeof KINDS)[Kind] | undefined;
  const own = (metadata as { name?: unknown } | undefined)?.name;
  const name = `${typeof kind === 'string' ? kind : 'object'} ${JSON.stringify(own ?? '')}`;
  if (known === undefined || known.apiVersion !== apiVersion) {
    return refused(name, where, [{ ...where, ...unknownKind(apiVersion, kind) }]);
  }
  const doctor = diagnoseService(value, locate);
  const result = known.schema.safeParse(value);
  if (!result.success) {
    const strict = result.error.issues.flatMap((issue) =>
      decodeFaults(issue, known.schema, locate, value),
    );
    return refused(name, where, merged(doctor, strict));
  }
  const { manifest, faults } = examine(result.data);
  const found = faults.map(({ field, message }) => ({
    ...locate(pathOf(field)),
    field,
    message,
    fix: fixOf(field, message),
  }));
  return {
    manifest,
    given: result.data,
    name,
    line: where.line,
    faults: merged(doctor, found),
  };
}

/**
 * The doctor's word on a field the schema does not know says more than the schema's. Where a rule speaks of a value its
 * words are those of Kubernetes, and the doctor has the remedy.
 */
function merged(
  doctor: readonly ManifestFault[],
  others: readonly ManifestFault[],
): ManifestFault[] {
  const isRule = (fault: ManifestFault, field: string) =>
    fault.field === field && fault.message.startsWith('Unsupported value');
  const told = doctor.map((fault) => {
    const rule = others.find((other) => isRule(other, fault.field));
    return rule === undefined ? fault : { ...rule, fix: fault.fix };
  });
  const fields = new Set(doctor.map(({ field }) => field));
  return [...told, ...others.filter(({ field }) => !fields.has(field))];
}

function unknownKind(
  apiVersion: unknown,
  given: unknown,
): Pick<ManifestFault, 'field' | 'message' | 'fix'> {
  if (given === undefined) return { field: 'kind', message: 'Required value', fix: '' };
  const kind = typeof given === 'string' ? given : JSON.stringify(given);
  const right = KINDS[kind as Kind] as { apiVersion: string } | undefined;
  if (right !== undefined) {
    const message = `no matches for kind "${kind}" in version ${JSON.stringify(apiVersion ?? '')}`;
    return { field: 'apiVersion', message, fix: `apiVersion: ${right.apiVersion}` };
  }
  const meant = nearest(kind, Object.keys(KINDS));
  const message = `no matches for kind "${kind}" in version ${JSON.stringify(apiVersion ?? '')}`;
  return { field: 'kind', message, fix: meant === undefined ? '' : `kind: ${meant}` };
}

const TYPES: Readonly<Record<string, string>> = {
  string: 'a text',
  int: 'an integer',
  number: 'an integer',
  boolean: 'true or false',
  array: 'a list',
  object: 'a mapping',
  record: 'a mapping',
};

function decodeFaults(
  issue: z.core.$ZodIssue,
  schema: z.core.$ZodType,
  locate: Locate,
  root: unknown,
): ManifestFault[] {
  const path = issue.path as (string | number)[];
  if (issue.code === 'unrecognized_keys') {
    const known = keysAt(schema, path);
    return issue.keys.map((key) => {
      const own = [...path, key];
      const meant = nearest(key, known);
      const field = fieldOf(own);
      const message = `strict decoding error: unknown field "${field}"`;
      const fix =
        meant === undefined ? `known here: ${known.join(', ')}` : `did you mean ${meant}?`;
      return { ...locate(own), field, message, fix };
    });
  }
  const value = path.reduce<unknown>(
    (at, step) => (at as Record<string | number, unknown> | undefined)?.[step],
    root,
  );
  const expected =
    issue.code === 'invalid_type'
      ? (TYPES[issue.expected] ?? issue.expected)
      : issue.code === 'invalid_union'
        ? 'an integer or a text'
        : issue.message;
  const message = `Invalid value: ${JSON.stringify(value) ?? 'null'}: expected ${expected}`;
  const needsQuotes =
    expected === 'a text' && (typeof value === 'number' || typeof value === 'boolean');
  const fix = needsQuotes ? `quote it: "${String(value)}"` : '';
  return [{ ...locate(path), field: fieldOf(path), message, fix }];
}

function fixOf(field: string, message: string): string {
  if (field.endsWith('.nodePort') && message.includes('not in the valid range')) {
    return 'choose one from 30000 to 32767, or leave nodePort out to have one given';
  }
  if (field === 'metadata.name' && message.includes('DNS-1035')) {
    return 'lower-case letters, digits and -, beginning with a letter';
  }
  return '';
}
