import { usageError } from '../cli-error.ts';
import { type Arguments, type Command, listOption, textOption } from '../command.ts';
import { type Context, say } from '../context.ts';
import { createFromFiles, send, titleOf, WRITING } from './apply.ts';

const TYPES: Readonly<Record<string, string>> = {
  clusterip: 'ClusterIP',
  nodeport: 'NodePort',
  loadbalancer: 'LoadBalancer',
  externalname: 'ExternalName',
};

/** `--tcp 8080`, `--tcp 8080:80`, `--tcp 80:http`: a port as `kubectl create service` takes it. */
function portOf(text: string): object {
  const [from = '', to = from] = text.split(':');
  const port = Number(from);
  if (!/^\d+$/.test(from) || port < 1 || port > 65_535) {
    throw usageError(`--tcp: expected PORT or PORT:TARGETPORT, got "${text}"`);
  }
  const targetPort = /^\d+$/.test(to) ? Number(to) : to;
  const name = `${from}-${to}`;
  return { name, port, targetPort, protocol: 'TCP' };
}

/** `create service TYPE NAME`, as kubectl has it: the selector is `app=NAME`. */
async function createService(context: Context, given: Arguments): Promise<number> {
  const [, typeName = '', name] = given.words;
  const type = TYPES[typeName.toLowerCase()];
  if (type === undefined) {
    throw usageError(
      `create service: expected clusterip, nodeport, loadbalancer or externalname, got "${typeName}"`,
    );
  }
  if (name === undefined) throw usageError('exactly one NAME is required, got 0');
  const tcp = listOption(given, 'tcp');
  const clusterIp = textOption(given, 'clusterip');
  const nodePort = textOption(given, 'node-port');
  const externalName = textOption(given, 'external-name');
  if (type === 'ExternalName' && externalName === undefined) {
    throw usageError('--external-name: expected the name that it stands for');
  }
  const ports = tcp.map((text) => ({
    ...portOf(text),
    ...(nodePort === undefined ? {} : { nodePort: Number(nodePort) }),
  }));
  const manifest = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, labels: { app: name } },
    spec: {
      type,
      ports,
      ...(type === 'ExternalName' ? { externalName } : { selector: { app: name } }),
      ...(clusterIp === undefined ? {} : { clusterIP: clusterIp }),
    },
  };
  return createOne(context, given, manifest);
}

/** Creates one object that was put together from options. */
export async function createOne(
  context: Context,
  given: Arguments,
  manifest: object,
  word = 'created',
): Promise<number> {
  const dryRun = !['none', undefined].includes(textOption(given, 'dry-run'));
  const source = {
    text: JSON.stringify(manifest),
    locate: () => ({ file: 'command line', line: 1 }),
  };
  const { results } = await send(context, source, { mode: 'create', dryRun, partial: false });
  const [result] = results;
  if (result !== undefined) say(context, `${titleOf(result)} ${word}${dryRun ? ' (dry run)' : ''}`);
  return 0;
}

export const create: Command = {
  name: 'create',
  summary: 'Create what files say, or a service from options',
  usage:
    'create -f FILE | create service clusterip|nodeport|loadbalancer|externalname NAME [options]',
  examples: [
    'create -f svc.yaml',
    'create service clusterip nginx --tcp=8080:80',
    'create service nodeport nginx --tcp=80 --node-port=30120',
    'create service externalname db --external-name db.example.com',
  ],
  options: {
    ...WRITING,
    tcp: {
      type: 'string',
      multiple: true,
      value: 'PORT[:TARGETPORT]',
      help: 'A port of the service; repeat for more',
    },
    clusterip: { type: 'string', value: 'ADDRESS', help: 'Its cluster IP, or None' },
    'node-port': { type: 'string', value: 'PORT', help: 'Its node port' },
    'external-name': {
      type: 'string',
      value: 'NAME',
      help: 'The name that an ExternalName stands for',
    },
  },
  run: (context, given) => {
    const [what] = given.words;
    if (what === 'service' || what === 'svc') return createService(context, given);
    if (what !== undefined && listOption(given, 'filename').length === 0) {
      throw usageError(`create: expected -f FILE, or service TYPE NAME, got "${what}"`);
    }
    return createFromFiles(context, given);
  },
};
