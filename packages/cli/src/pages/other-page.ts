import type { ManifestObject } from '@rollcall/client-sdk';
import { visibleLine } from '../output/untrusted.ts';
import { fieldsText, headOf, linesOf } from './page.ts';

/** An object without its own page, field by field. */
export function otherPage(object: ManifestObject): string {
  const rest = { ...object, apiVersion: undefined, kind: undefined, metadata: undefined };
  return fieldsText(headOf(object)) + outline(rest, '');
}

function outline(value: object, indent: string): string {
  return Object.entries(value)
    .filter(([, one]) => one !== undefined)
    .map(([key, one]: [string, unknown]) => {
      const title = visibleLine(key).replace(/^[a-z]/, (letter) => letter.toUpperCase());
      if (typeof one !== 'object' || one === null) {
        return `${indent}${title}:  ${linesOf(String(one)).join(`\n${indent}`)}\n`;
      }
      return `${indent}${title}:\n${outline(one, `${indent}  `)}`;
    })
    .join('');
}
