import type { ExchangeRecord } from '@rollcall/dataplane';
import type { AccessLogConfig } from '../config/access-log-schema.ts';
import { COMBINED_FIELDS, combinedTime, formatCombinedLine } from './combined-line.ts';
import { formatLogLine } from './log-line.ts';

/** How requests are written. */
export interface LineFormat {
  /** The request fields that it needs, in lower case. */
  readonly fields: readonly string[];
  /** The text of a Unix time in ms. */
  readonly timeOf: (ms: number) => string;
  /** One request, with the end of the line. */
  readonly lineOf: (record: ExchangeRecord, time: string) => string;
}

export const LINE_FORMATS: Readonly<Record<AccessLogConfig['format'], LineFormat>> = {
  json: {
    fields: [],
    timeOf: (ms) => new Date(ms).toISOString(),
    lineOf: formatLogLine,
  },
  combined: { fields: COMBINED_FIELDS, timeOf: combinedTime, lineOf: formatCombinedLine },
};

/** The request fields that lines need, in lower case. */
export function loggedFields({ file, format }: AccessLogConfig): readonly string[] {
  return file === 'off' ? [] : LINE_FORMATS[format].fields;
}
