import type { ManifestObject } from '@rollcall/client-sdk';
import { fieldsText, headOf } from './page.ts';

/** What has no page of its own, field by field. */
export function otherPage(object: ManifestObject): string {
  const rest = { ...object, apiVersion: undefined, kind: undefined, metadata: undefined };
  return fieldsText(headOf(object)) + outline(rest, '');
}

function outline(value: object, indent: string): string {
  return Object.entries(value)
    .filter(([, one]) => one !== undefined)
    .map(([key, one]: [string, unknown]) => {
      const title = key.replace(/^[a-z]/, (letter) => letter.toUpperCase());
      if (typeof one !== 'object' || one === null) return `${indent}${title}:  ${String(one)}\n`;
      return `${indent}${title}:\n${outline(one, `${indent}  `)}`;
    })
    .join('');
}
