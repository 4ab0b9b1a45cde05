import type { Kind } from '@rollcall/manifests';
import { CliError, EXIT, usageError } from '../base/cli-error.ts';
import { didYouMean } from '../base/did-you-mean.ts';
import type { Arguments, Command } from '../session/command.ts';
import { type Context, say } from '../session/context.ts';
import { tableText } from '../output/table.ts';
import { oneOf, RESOURCES } from '../resources/catalog.ts';
import { pairsText } from '../resources/resource.ts';
import { services } from '../resources/services.ts';

/**
 * `svc` or `svc.spec.ports`: the type, and the path of a field. Undefined when the word is no type. Throws a
 * {@link CliError} for a type that has no manifest.
 */
async function fieldPathOf(
  word: string,
): Promise<{ readonly kind: Kind; readonly path: string[] } | undefined> {
  const [type = '', ...path] = word.split('.');
  const resource = RESOURCES.find(({ names }) => names.includes(type.toLowerCase()));
  if (resource === undefined) return undefined;
  const { KINDS } = await import('@rollcall/manifests');
  const kind = Object.keys(KINDS).find((one) => one === resource.kind) as Kind | undefined;
  if (kind !== undefined) return { kind, path };
  const [plural = ''] = resource.names;
  const shown = `rollcall get ${plural} -o yaml shows them`;
  throw new CliError(`error: the fields of ${plural} are not described: ${shown}`);
}

/** The fields of a type, as `kubectl explain` shows them. */
async function showFields(
  context: Context,
  { kind, path }: { kind: Kind; path: string[] },
): Promise<number> {
  const { fieldAt, KINDS } = await import('@rollcall/manifests');
  const { apiVersion, schema } = KINDS[kind];
  const found = fieldAt(schema, path);
  if (found === undefined) {
    const [field = '', ...above] = path.toReversed();
    const known = fieldAt(schema, above.toReversed())?.fields.map(({ name }) => name) ?? [];
    throw new CliError(`error: field "${field}" does not exist${didYouMean(field, known)}`);
  }
  const [group = '', number] = apiVersion.split('/');
  const head = [
    ...(number === undefined ? [] : [['GROUP:', group]]),
    ['KIND:', kind],
    ['VERSION:', number ?? group],
    ...(path.length === 0 ? [] : [['FIELD:', `${path.at(-1)} <${found.type}>`]]),
  ];
  context.out.write(tableText(head));
  const rows = found.fields.map(({ name, type }) => [`  ${name}`, `<${type}>`]);
  if (rows.length > 0) context.out.write(`\nFIELDS:\n${tableText(rows)}`);
  return EXIT.ok;
}

async function run(context: Context, given: Arguments): Promise<number> {
  const [only = '', ...others] = given.words;
  const isAlone = others.length === 0 && !only.includes('/');
  const fields = isAlone ? await fieldPathOf(only) : undefined;
  if (fields !== undefined) return showFields(context, fields);
  const words = isAlone && only !== '' ? ['svc', only] : given.words;
  const { resource, name } = oneOf(words, explain.usage);
  if (resource !== services)
    throw usageError('only services have endpoints: rollcall explain svc NAME');
  const params = { ns: context.namespace, svc: name };
  const { declared, selector, instances, notes } = await context.rollcall.call('explain', {
    params,
  });
  say(
    context,
    `service/${name} ${declared ? 'is declared' : 'is there because instances registered under its name'}`,
  );
  if (declared) say(context, `selector: ${pairsText(selector)}`);
  for (const note of notes) say(context, `note: ${note}`);
  const rows = instances.flatMap(({ service, instance, isEndpoint, reasons }) =>
    reasons.map((reason, i) =>
      i === 0 ? [`${service}/${instance}`, isEndpoint ? 'yes' : 'no', reason] : ['', '', reason],
    ),
  );
  if (rows.length > 0)
    context.out.write(`\n${tableText([['INSTANCE', 'ENDPOINT', 'WHY'], ...rows])}`);
  return EXIT.ok;
}

export const explain: Command = {
  name: 'explain',
  summary: 'Show why each instance is or is not an endpoint of a service, or the fields of a type',
  usage: 'explain svc NAME | explain TYPE[.FIELD...]',
  takes: 'objects',
  examples: ['explain svc nginx', 'explain svc.spec.ports'],
  options: {},
  run,
};
