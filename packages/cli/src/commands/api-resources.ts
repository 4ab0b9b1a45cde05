import { EXIT } from '../base/cli-error.ts';
import type { Command } from '../session/command.ts';
import { tableText } from '../output/table.ts';
import { RESOURCES } from '../resources/catalog.ts';

export const apiResources: Command = {
  name: 'api-resources',
  summary: 'List the resource types',
  usage: 'api-resources',
  examples: ['api-resources'],
  options: {},
  run: (context) => {
    const rows = RESOURCES.map(({ names, apiVersion, isNamespaced = true, kind }) => {
      const [plural = '', singular = '', ...short] = names;
      const others = singular === kind.toLowerCase() ? short : [singular, ...short];
      return [plural, others.join(','), apiVersion, String(isNamespaced), kind];
    });
    const head = ['NAME', 'SHORTNAMES', 'APIVERSION', 'NAMESPACED', 'KIND'];
    context.out.write(tableText([head, ...rows]));
    return Promise.resolve(EXIT.ok);
  },
};

export const apiVersions: Command = {
  name: 'api-versions',
  summary: 'List the apiVersions that manifests can have',
  usage: 'api-versions',
  examples: ['api-versions'],
  options: {},
  run: (context) => {
    const versions = new Set(RESOURCES.map(({ apiVersion }) => apiVersion));
    context.out.write(
      [...versions]
        .toSorted()
        .map((one) => `${one}\n`)
        .join(''),
    );
    return Promise.resolve(EXIT.ok);
  },
};
