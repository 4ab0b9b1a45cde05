import { EXIT, usageError } from '../base/cli-error.ts';
import type { Command } from '../session/command.ts';
import { say } from '../session/context.ts';

export const version: Command = {
  name: 'version',
  summary: 'Print the version of this program',
  usage: 'version [--client]',
  examples: ['version'],
  options: {
    client: { type: 'boolean', help: 'Accepted as kubectl does: no server is asked in any case' },
  },
  run: (context) => {
    say(context, `Client Version: v${context.version}`);
    return Promise.resolve(EXIT.ok);
  },
};

export const clusterInfo: Command = {
  name: 'cluster-info',
  summary: "Show the registry's address, and how many services and instances it has",
  usage: 'cluster-info',
  examples: ['cluster-info'],
  options: {},
  run: async (context, { words: [word] }) => {
    if (word !== undefined) {
      const instead =
        'rollcall export writes what is declared, rollcall get all -A -o yaml what is there';
      throw usageError(`cluster-info ${word}: there is no cluster; ${instead}`);
    }
    const { rollcall, registryUrl } = context;
    const { services } = await rollcall.call('listServices', { params: { ns: '*' } });
    const { instances } = await rollcall.call('listInstances', { params: { ns: '*' } });
    say(context, `Rollcall registry is running at ${registryUrl}`);
    say(context, `${services.length} services, ${instances.length} instances in all namespaces`);
    return EXIT.ok;
  },
};
