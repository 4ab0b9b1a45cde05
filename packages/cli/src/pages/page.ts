import type { ManifestObject, TimelineEvent } from '@rollcall/client-sdk';
import { durationText } from '../output/age.ts';
import { objectKindOf, reasonWordOf, severityOf } from '../output/event-words.ts';
import { padded, visibleLine, visibleText } from '../output/untrusted.ts';
import { widthOf } from '../output/width.ts';
import { NONE, sortedPairs } from '../resources/resource.ts';

/** Longest annotation on one line, with its key. */
const MOST_ANNOTATION = 140;

/** A heading and its value; several values are listed below each other. */
export type Field = readonly [title: string, ...values: string[]];

/** The lines of a value; lines after the first are indented, so that none looks like a separate value. */
export function linesOf(value: string): string[] {
  return visibleText(value)
    .split('\n')
    .map((line, i) => (i === 0 ? line : `  ${line}`));
}

/** Values after their headings, aligned. */
export function fieldsText(fields: readonly Field[], indent = ''): string {
  const width = Math.max(...fields.map(([title]) => title.length)) + 3;
  return fields
    .flatMap(([title, ...values]) =>
      (values.length === 0 ? [NONE] : values.flatMap(linesOf)).map((value, i) =>
        `${indent}${(i === 0 ? `${title}:` : '').padEnd(width)}${value}`.trimEnd(),
      ),
    )
    .map((line) => `${line}\n`)
    .join('');
}

/** The first lines of every page. */
export function headOf(object: ManifestObject): Field[] {
  const { name, namespace, labels } = object.metadata;
  return [
    ['Name', name],
    ['Namespace', namespace],
    ['Labels', ...pairs(labels)],
    ['Annotations', ...annotationsOf(object)],
  ];
}

/** `key=value` each. */
export const pairs = (given: Readonly<Record<string, string>> | undefined): string[] =>
  sortedPairs(given).map(([key, value]) => visibleLine(`${key}=${value}`));

/** Annotations written by people; the copy of the last applied manifest is for machines. */
export function annotationsOf({ metadata }: ManifestObject): string[] {
  return sortedPairs(metadata.annotations)
    .filter(([key]) => !key.startsWith('kubectl.kubernetes.io/last-applied'))
    .map(([key, value]) => annotationText(visibleLine(key), value.replace(/\n$/, '')));
}

/** As in kubectl: a long value has its own lines, and its long lines are cut. */
function annotationText(key: string, value: string): string {
  if (!value.includes('\n') && key.length + value.length + 2 <= MOST_ANNOTATION) {
    return `${key}: ${value}`;
  }
  const most = MOST_ANNOTATION - 2;
  const lines = value
    .split('\n')
    .map((line) => (line.length > most ? `${line.slice(0, most)}...` : line));
  return [`${key}:`, ...lines].join('\n');
}

/**
 * The events of a declared object. Those of a deleted object that had the same kind and name are not its own, nor are
 * those of another kind.
 */
export function eventsOf(events: readonly TimelineEvent[], kind: string): TimelineEvent[] {
  const isOf = (event: TimelineEvent) => event.instance === '' && objectKindOf(event) === kind;
  const own = events.filter(isOf);
  const after = own.slice(own.findLastIndex((event) => event.kind === 'deleted') + 1);
  // What data planes reported about the former object may end later than it.
  return after.slice(
    Math.max(
      0,
      after.findIndex((event) => event.kind === 'created'),
    ),
  );
}

/** A row of displayed cells; the last cell may continue on further lines. */
function shownRows(row: readonly string[]): string[][] {
  const cells = row.slice(0, -1).map(visibleLine);
  return visibleText(row.at(-1) ?? '')
    .split('\n')
    .map((line, i) => [...(i === 0 ? cells : cells.map(() => '')), line]);
}

/** Rows under a rule, with two spaces between columns; each title is underlined by at least four dashes. */
export function ruledRows(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  indent = '  ',
): string {
  const rule = head.map((title) => '-'.repeat(Math.max(4, title.length)));
  const all = [head, rule, ...rows.flatMap(shownRows)];
  const widths = head.map((_, i) => Math.max(...all.map((row) => widthOf(row[i] ?? ''))));
  return all
    .map((row) => `${indent}${row.map((cell, i) => padded(cell, widths[i] ?? 0)).join('  ')}`)
    .map((line) => `${line.trimEnd()}\n`)
    .join('');
}

/** Fields, and the events below them: without events, `<none>` is aligned with the other values. */
export function pageText(
  fields: readonly Field[],
  {
    middle = '',
    events,
    nowMs,
  }: { middle?: string; events: readonly TimelineEvent[]; nowMs: number },
): string {
  if (events.length === 0 && middle === '') return fieldsText([...fields, ['Events']]);
  return fieldsText(fields) + middle + eventsText(events, nowMs);
}

/** Only the events. */
export function eventsText(events: readonly TimelineEvent[], nowMs: number): string {
  if (events.length === 0) return 'Events:  <none>\n';
  const rows = events.map((event) => [
    severityOf(event),
    reasonWordOf(event),
    durationText(nowMs - event.atMs),
    event.instance === '' ? 'registry' : event.instance,
    event.reason,
  ]);
  return `Events:\n${ruledRows(['Type', 'Reason', 'Age', 'From', 'Message'], rows)}`;
}

/** The first value after its title, the others below it. */
export function several(title: string, values: readonly string[]): string[][] {
  const [first = NONE, ...others] = values.flatMap(linesOf);
  return [[title, first], ...others.map((value) => ['', value])];
}
