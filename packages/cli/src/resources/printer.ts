import type { ManifestObject } from '@rollcall/client-sdk';
import { usageError } from '../base/cli-error.ts';
import type { Column, Resource } from './resource.ts';
import { pairsText } from './resource.ts';
import { jsonText, yamlText } from '../output/document.ts';
import { goTemplateText } from '../output/go-template.ts';
import { jsonPathText, valuesAt } from '../output/jsonpath.ts';
import { fitted } from '../output/fit.ts';
import { tableText } from '../output/table.ts';
import { visibleLine, visibleText } from '../output/untrusted.ts';

export interface PrintOptions {
  /** The value of `-o`; undefined = a table. */
  readonly format: string | undefined;
  readonly showsNamespace: boolean;
  readonly showsLabels: boolean;
  /** Keys of labels that get a column. */
  readonly labelColumns?: readonly string[];
  readonly hasHeaders: boolean;
  /** Prefixes names with their type, as when several types are printed. */
  readonly isQualified: boolean;
  /** Whether one object was requested by name: then it is printed alone and not as a list. */
  readonly isSingle: boolean;
  /** Whether documents name the writers of an object. @default false */
  readonly showsManagers?: boolean;
  readonly nowMs: number;
  /** Whether the output is a terminal: then documents and templates escape what it would interpret or hide. */
  readonly isForTerminal: boolean;
  /** Columns of the terminal: cells of a table without `-o` are cut to fit. @default unlimited */
  readonly columns?: number;
}

/** Whether the output is for people: then an empty list gets a message. */
export function isTable(format: string | undefined): boolean {
  return format === undefined || format === 'wide' || format.startsWith('custom-columns=');
}

/** Objects in the given format, to be printed unchanged. Throws a usage error for an unknown format. */
export async function printed(
  objects: readonly ManifestObject[],
  resource: Resource | undefined,
  options: PrintOptions,
): Promise<string> {
  const { format } = options;
  if (resource !== undefined && (format === undefined || format === 'wide')) {
    return tableText(rowsOf(objects, resource, options));
  }
  if (format === 'name') {
    const prefix = resource?.prefix ?? '';
    return objects.map(({ metadata }) => `${prefix}/${visibleLine(metadata.name)}\n`).join('');
  }
  if (format?.startsWith('custom-columns=') === true) {
    return customTable(format.slice('custom-columns='.length), objects, options);
  }
  const isDocument = format === 'json' || format === 'yaml';
  const hidesManagers = isDocument && options.showsManagers !== true;
  const documents = objects.map((object) =>
    documentOf(hidesManagers ? withoutManagers(object) : object),
  );
  const data = options.isSingle && documents.length === 1 ? documents[0] : listOf(documents);
  if (isDocument) return format === 'json' ? jsonText(data, options) : yamlText(data, options);
  const text = templateText(format, data);
  return options.isForTerminal ? visibleText(text) : text;
}

/** Throws a usage error for a format in which written objects cannot be printed. */
export function checkWrittenFormat(format: string | undefined): void {
  const isKnown = /^(json|yaml|name|(jsonpath|go-template|custom-columns)=.*)$/s;
  if (format !== undefined && !isKnown.test(format)) throw unknownFormat(format);
}

/** The filled-in template. Line breaks come from the template, so those in values are kept too. */
function templateText(format: string | undefined, data: unknown): string {
  if (format?.startsWith('jsonpath=') === true) {
    return jsonPathText(unquotedFormat(format.slice('jsonpath='.length)), data);
  }
  if (format?.startsWith('go-template=') === true) {
    return goTemplateText(unquotedFormat(format.slice('go-template='.length)), data);
  }
  throw unknownFormat(format);
}

function unknownFormat(format: string | undefined): Error {
  return usageError(
    `unable to match a printer suitable for the output format "${format}", allowed formats are: custom-columns,go-template,json,jsonpath,name,wide,yaml`,
  );
}

/** Some shells pass the quotes on. */
function unquotedFormat(template: string): string {
  return /^(['"]).*\1$/s.test(template) ? template.slice(1, -1) : template;
}

function withoutManagers({ metadata, ...object }: ManifestObject): ManifestObject {
  const { managedFields: _, ...shown } = metadata;
  return { ...object, metadata: shown };
}

/** An object that is in no namespace does not name one. */
function documentOf({ metadata: { namespace, ...metadata }, ...object }: ManifestObject): object {
  return { ...object, metadata: namespace === '' ? metadata : { ...metadata, namespace } };
}

function listOf(items: readonly object[]): object {
  return { apiVersion: 'v1', items, kind: 'List', metadata: { resourceVersion: '' } };
}

/** Cells of objects, with headings if wanted. */
export function rowsOf(
  objects: readonly ManifestObject[],
  resource: Resource,
  options: PrintOptions,
): string[][] {
  const { format, showsNamespace, showsLabels, hasHeaders, isQualified, nowMs } = options;
  const { labelColumns = [] } = options;
  const columns = resource.columns.filter(({ isWide }) => isWide !== true || format === 'wide');
  const namespace: Column = { title: 'NAMESPACE', cell: ({ metadata }) => metadata.namespace };
  const labels: Column = { title: 'LABELS', cell: ({ metadata }) => pairsText(metadata.labels) };
  const shown = [
    ...(showsNamespace && resource.isNamespaced !== false ? [namespace] : []),
    ...columns,
    ...labelColumns.map(labelColumn),
    ...(showsLabels ? [labels] : []),
  ];
  const rows = objects.map((object) =>
    shown.map(({ title, cell }) => {
      const text = cell(object, nowMs, format === 'wide');
      return title === 'NAME' && isQualified ? `${resource.prefix}/${text}` : text;
    }),
  );
  const all = hasHeaders ? [shown.map(({ title }) => title), ...rows] : rows;
  const { columns: room = 0 } = options;
  const whole = shown.findIndex(({ title }) => title === 'NAME') + 1;
  // Some terminals do not know their width, and every column of events may be copied.
  if (format === 'wide' || room === 0 || whole === 0) return all;
  return fitted(all, { columns: room, whole });
}

/** The heading is the last part of its key. */
function labelColumn(key: string): Column {
  const [title = key] = key.split('/').toReversed();
  return {
    title: title.toUpperCase(),
    cell: ({ metadata: { labels = {} } }) =>
      Object.hasOwn(labels, key) ? (labels[key] ?? '') : '',
  };
}

function customTable(
  spec: string,
  objects: readonly ManifestObject[],
  { hasHeaders }: PrintOptions,
): string {
  const columns = unquotedFormat(spec)
    .split(',')
    .map((part) => {
      const colon = part.indexOf(':');
      if (colon < 1) throw usageError(`custom-columns: expected HEADER:.path, got "${part}"`);
      return { title: part.slice(0, colon), path: part.slice(colon + 1) };
    });
  const rows = objects.map((object) =>
    columns.map(({ path }) => {
      const values = valuesAt(path, object).map((value) =>
        typeof value === 'string' ? value : JSON.stringify(value),
      );
      return values.length === 0 ? '<none>' : values.join(',');
    }),
  );
  return tableText(hasHeaders ? [columns.map(({ title }) => title), ...rows] : rows);
}
