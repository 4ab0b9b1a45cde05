import { expect, test } from 'vitest';
import { goTemplateText } from './go-template.ts';

const DATA = {
  metadata: { name: 'web', labels: { app: 'web' } },
  items: [
    { name: 'a', ports: [{ port: 1 }] },
    { name: 'b', ports: [] },
  ],
};

test.each<[template: string, expected: string]>([
  ['{{.metadata.name}}!', 'web!'],
  ['{{range .items}}{{.name}}{{"\\n"}}{{end}}', 'a\nb\n'],
  ['{{ (index .items 0).name }}-{{(index (index .items 0).ports 0).port}}', 'a-1'],
  ['{{range .items}}{{if .ports}}{{.name}}{{else}}none{{end}} {{end}}', 'a none '],
  ['{{len .items}} {{index .metadata.labels "app"}} {{`x`}}', '2 web x'],
  ['{{.nothing}}', '<no value>'],
  ['{{range .nothing}}x{{else}}empty{{end}}', 'empty'],
  ['plain', 'plain'],
])('%s', (template, expected) => {
  expect(goTemplateText(template, DATA)).toBe(expected);
});

test.each([
  ['{{printf "%s" .a}}', 'function "printf" not defined'],
  ['{{range .items}}', '{{end}} is missing'],
  ['{{end}}', 'unexpected {{end}}'],
  ['{{.a | b}}', 'not understood here'],
])('%s is refused', (template, why) => {
  expect(() => goTemplateText(template, DATA)).toThrow(why);
});
