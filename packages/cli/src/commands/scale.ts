import { CliError, EXIT, usageError } from '../base/cli-error.ts';
import { type Arguments, type Command, numberOption } from '../session/command.ts';
import { type Context, say, warn } from '../session/context.ts';
import { oneOf } from '../resources/catalog.ts';
import { partOf } from '../resources/resource.ts';
import { deployments } from '../resources/workloads.ts';

async function run(context: Context, given: Arguments): Promise<number> {
  const { resource, name } = oneOf(given.words, scale.usage);
  if (resource !== deployments) {
    throw usageError(`cannot scale a ${resource.prefix}: expected a deployment`);
  }
  const replicas = numberOption(given, 'replicas');
  if (replicas === undefined) throw usageError('--replicas: expected the desired number');
  const expected = numberOption(given, 'current-replicas');
  const object = await resource.get(context, context.namespace, name);
  const actual = (partOf(object, 'spec') as { replicas?: number } | undefined)?.replicas ?? 1;
  if (expected !== undefined && expected !== actual) {
    throw new CliError(`error: Expected replicas to be ${expected}, was ${actual}`);
  }
  const params = { ns: context.namespace, kind: 'deployments', name };
  const body = { spec: { replicas } };
  await context.rollcall.call('patchManifest', { params, body });
  say(context, `${resource.prefix}/${name} scaled`);
  warn(context, 'Warning: this changes only the desired number; you start and stop the instances');
  return EXIT.ok;
}

export const scale: Command = {
  name: 'scale',
  summary: 'Change the desired number of instances of a deployment',
  usage: 'scale deployment NAME --replicas=COUNT',
  takes: 'objects',
  examples: ['scale deployment web --replicas=3', 'scale --replicas=3 deploy/web'],
  options: {
    replicas: { type: 'string', value: 'COUNT', help: 'Desired number of instances' },
    'current-replicas': {
      type: 'string',
      value: 'COUNT',
      help: 'Scale only if the current number is this',
    },
  },
  run,
};
