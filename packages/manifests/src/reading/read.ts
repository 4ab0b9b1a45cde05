import {
  type Document,
  isCollection,
  isMap,
  isNode,
  isScalar,
  LineCounter,
  parseAllDocuments,
} from 'yaml';
import { examine, type Kind, type Manifest } from './kinds.ts';
import { decodeManifest, valueAt } from './decode.ts';
import { duplicateKeys } from './duplicate-keys.ts';
import { fieldOf, type ManifestFault, pathOf } from './fault.ts';
import { unknownKind } from './kind-doctor.ts';
import { oddityOf } from './plain-value.ts';
import { remedyOf } from './remedies.ts';
import { diagnoseService, type Locate } from './service-doctor.ts';
import { syntaxFault } from './syntax-fault.ts';
import { limitFault } from './text-limits.ts';
import { diagnoseText, type TextFinding } from './text-doctor.ts';

/** Maximum number of documents in a file. */
const MAX_DOCUMENTS = 1_000;

/** One manifest of a file, with its defaults. Use it only when `faults` is empty. */
export interface ReadManifest {
  /** Undefined when it could not be decoded. */
  readonly manifest: Manifest | undefined;
  /** As written, without defaults; `apply` merges this one. */
  readonly given: Manifest | undefined;
  /** `Service "nginx"`, as far as known. */
  readonly name: string;
  /** Its first line, 1-based. */
  readonly line: number;
  /** Finds a field in the text, or the field around it if it is absent. Line and column are 1-based. */
  readonly locate: (field: string) => { readonly line: number; readonly column: number };
  readonly faults: readonly ManifestFault[];
}

/** Everything in a file. */
export interface ReadFile {
  readonly manifests: readonly ReadManifest[];
  /** Faults of the text itself: then nothing of it may be used. */
  readonly faults: readonly ManifestFault[];
}

type Path = readonly (string | number)[];

/** Reads YAML or JSON, with several documents and `kind: List`. Never throws; every fault has a line. */
export function readManifests(text: string): ReadFile {
  const limit = limitFault(text, MAX_DOCUMENTS);
  if (limit !== undefined) return { manifests: [], faults: [limit] };
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, {
    lineCounter: lines,
    strict: true,
    uniqueKeys: false,
    logLevel: 'error',
  });
  const parsed = Array.isArray(documents) ? documents : [];
  const findings = diagnoseText(text);
  const errors = parsed.flatMap((document) => [...document.errors, ...duplicateKeys(document)]);
  if (errors.length > 0) {
    // What the text doctor finds explains the errors of the parser.
    const faults = errors.map((error) => syntaxFault(error, lines));
    const found = findings.filter(
      (one) => one.isSure || faults.some(({ line }) => line === one.line),
    );
    return { manifests: [], faults: found.length > 0 ? found.map(faultOf) : faults };
  }
  const manifests = parsed.flatMap((document) => readDocument(document, lines));
  return { manifests: withFindings(manifests, findings, text.split('\n')), faults: [] };
}

function faultOf(finding: TextFinding): ManifestFault {
  const { isSure: _, ...fault } = finding;
  return fault;
}

/** In documents with faults, the findings of the text doctor replace the faults at the same place. */
function withFindings(
  manifests: readonly ReadManifest[],
  findings: readonly TextFinding[],
  lines: readonly string[],
): ReadManifest[] {
  if (findings.length === 0) return [...manifests];
  return manifests.map((read, i) => {
    const end = manifests.slice(i + 1).find(({ line }) => line > read.line)?.line ?? Infinity;
    if (read.faults.length === 0) return read;
    const isWrong = (one: TextFinding) => read.faults.some((fault) => contains(fault, one, lines));
    const own = findings
      .filter(({ line }) => line >= read.line && line < end)
      .filter((one) => one.isSure || isWrong(one))
      .map(faultOf);
    if (own.length === 0) return read;
    const others = read.faults.filter((fault) => !own.some((one) => contains(fault, one, lines)));
    return { ...read, faults: [...own, ...others] };
  });
}

/** Whether a finding is on the line of a fault, or inside the field of the fault. */
function contains(fault: ManifestFault, finding: ManifestFault, lines: readonly string[]): boolean {
  if (fault.line === finding.line) return true;
  // A fault of the whole manifest has other causes.
  if (fault.column === 1 || finding.line < fault.line) return false;
  const between = lines.slice(fault.line, finding.line);
  return between.every((line) => line.search(/\S/) >= fault.column - 1);
}

function readDocument(document: Document.Parsed, lines: LineCounter): ReadManifest[] {
  const value = valueOf(document);
  if (value instanceof Error) {
    const fault = { line: 1, column: 1, field: '', message: value.message, fix: '' };
    return [refused('object ""', fault, [fault])];
  }
  if (value === null || value === undefined) return [];
  if (typeof value !== 'object' || Array.isArray(value)) {
    const { line, col: column } = lines.linePos(document.contents?.range[0] ?? 0);
    const message = 'expected a manifest: a mapping with apiVersion, kind and metadata';
    return [
      refused('object ""', { line, column }, [{ line, column, field: '', message, fix: '' }]),
    ];
  }
  const locate: Locate = (path) => {
    for (let end = path.length; end >= 0; end--) {
      const node = nodeAt(document, path.slice(0, end));
      if (!isNode(node) || !node.range) continue;
      const { line, col } = lines.linePos(node.range[0]);
      return { line, column: col };
    }
    return { line: 1, column: 1 };
  };
  const oddity = oddityOf(value);
  if (oddity !== undefined) {
    const { path, message } = oddity;
    const fault = { ...locate(path), field: fieldOf(path), message, fix: '' };
    return [refused('object ""', locate([]), [fault])];
  }
  const { kind, items } = value as { kind?: unknown; items?: unknown };
  if (kind !== 'List') return [readValue(value, [], locate)];
  if (!Array.isArray(items)) {
    const message = 'Required value: a List has items';
    return [refused('List', locate([]), [{ ...locate([]), field: 'items', message, fix: '' }])];
  }
  return items.map((item, i) => readValue(item, ['items', i], locate));
}

/** The value of a document; an error if its aliases are unresolved or expand to too much. */
function valueOf(document: Document.Parsed): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    return error;
  }
}

/** The node at a path; for a field with a collection its key, since that is where a reader sees the field. */
function nodeAt(document: Document.Parsed, path: Path): unknown {
  const last = path.at(-1);
  const parent = path.length < 2 ? document.contents : document.getIn(path.slice(0, -1), true);
  const value = path.length === 0 ? document.contents : document.getIn(path, true);
  if (!isCollection(value) || !isMap(parent)) return value;
  return parent.items.find(({ key }) => isScalar(key) && key.value === last)?.key ?? value;
}

function refused(
  name: string,
  where: { readonly line: number; readonly column: number },
  faults: ManifestFault[],
): ReadManifest {
  const { line } = where;
  return { manifest: undefined, given: undefined, name, line, locate: () => where, faults };
}

function readValue(value: unknown, root: Path, locateRoot: Locate): ReadManifest {
  const locate: Locate = (path) => locateRoot([...root, ...path]);
  const where = locate([]);
  const { kind, metadata } = (value ?? {}) as Record<string, unknown>;
  const own = (metadata as { name?: unknown } | null | undefined)?.name;
  const name = `${typeof kind === 'string' ? kind : 'object'} ${JSON.stringify(own ?? '')}`;
  const stranger = unknownKind(value, locate);
  if (stranger !== undefined) return refused(name, where, [stranger]);
  const doctor = diagnoseService(value, locate);
  const { manifest: given, faults: strict } = decodeManifest(kind as Kind, value, locate);
  if (given === undefined) return refused(name, where, merged(doctor, strict));
  const { manifest, faults } = examine(given);
  const found = faults.map(({ field, message }) => {
    const { path, value: at } = standing(value, field);
    return { ...locate(path), field, message, fix: remedyOf({ field, message, value: at }) };
  });
  return {
    manifest,
    given,
    name,
    line: where.line,
    locate: (field) => locate(standing(value, field).path),
    faults: merged(doctor, found),
  };
}

/**
 * For an unknown field, the doctor's message is better than the schema's. For a wrong value, the message is the rule's,
 * in the words of Kubernetes, with the doctor's remedy.
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
  if (fields.has('name')) fields.add('metadata');
  if (fields.has('spec.externalName')) fields.add('spec.ports');
  return [...told, ...others.filter(({ field }) => !fields.has(field))];
}

/** Where the field of a rule is written: `clusterIPs[0]` may be written as `clusterIP`. */
function standing(value: unknown, field: string): { readonly path: Path; readonly value: unknown } {
  const path = pathOf(field);
  const at = valueAt(value, path);
  if (at !== undefined || !field.startsWith('spec.clusterIPs')) return { path, value: at };
  return { path: ['spec', 'clusterIP'], value: valueAt(value, ['spec', 'clusterIP']) };
}
