import { EXIT } from '../base/cli-error.ts';
import type { Arguments, Command } from '../session/command.ts';
import { usageError } from '../base/cli-error.ts';
import { type Context, say } from '../session/context.ts';
import { tableText } from '../output/table.ts';
import { oneOf } from '../resources/catalog.ts';
import { pairsText } from '../resources/resource.ts';
import { services } from '../resources/services.ts';

async function run(context: Context, given: Arguments): Promise<number> {
  const words =
    given.words.length === 1 && !given.words[0]?.includes('/')
      ? ['svc', ...given.words]
      : given.words;
  const { resource, name } = oneOf(words, explain.usage);
  if (resource !== services)
    throw usageError('explain works only for services: rollcall explain svc NAME');
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
  summary: 'Show why each instance is or is not an endpoint of a service',
  usage: 'explain svc NAME',
  examples: ['explain svc nginx'],
  options: {},
  run,
};
