import type { ApplyResult } from '@rollcall/client-sdk';
import { EXIT, usageError } from '../base/cli-error.ts';
import {
  type Arguments,
  type Command,
  listOption,
  numberOption,
  textOption,
  wholeNumber,
} from '../session/command.ts';
import { type Context, say, warn } from '../session/context.ts';
import { jsonText, yamlText } from '../output/document.ts';
import { tlsSecretOf } from './create-secret.ts';
import { createFromFiles, isDry, send, titleOf, WRITING } from './apply.ts';
import { managerOf } from './writing.ts';

const TYPES: readonly string[] = ['ClusterIP', 'NodePort', 'LoadBalancer', 'ExternalName'];

/** Parses a port as in `kubectl create service`: `--tcp 8080`, `--tcp 8080:80`, `--tcp 80:http`. */
function portOf(text: string): object {
  const [from = '', to = from] = text.split(':');
  const port = wholeNumber(from, 'tcp', 1, 65_535);
  const targetPort = /^\d+$/.test(to) ? Number(to) : to;
  const name = text.replaceAll(':', '-');
  return { name, port, targetPort, protocol: 'TCP' };
}

/** `create service TYPE NAME`, as in kubectl: the selector is `app=NAME`. */
async function createService(context: Context, given: Arguments): Promise<number> {
  const [, typeName = '', name] = given.words;
  const type = TYPES.find((one) => one.toLowerCase() === typeName.toLowerCase());
  if (type === undefined) {
    throw usageError(
      `create service: expected clusterip, nodeport, loadbalancer or externalname, got "${typeName}"`,
    );
  }
  if (name === undefined) throw usageError('exactly one NAME is required, got 0');
  const tcp = listOption(given, 'tcp').flatMap((text) => text.split(','));
  const clusterIP = textOption(given, 'clusterip');
  const nodePort = numberOption(given, 'node-port');
  const externalName = textOption(given, 'external-name');
  if (type === 'ExternalName' && externalName === undefined) {
    throw usageError('required flag(s) "external-name" not set');
  }
  if (type !== 'ExternalName' && tcp.length === 0 && clusterIP !== 'None') {
    throw usageError('at least one tcp port specifier must be provided: --tcp=PORT:TARGETPORT');
  }
  const ports = tcp.map((text) => ({
    ...portOf(text),
    ...(nodePort === undefined ? {} : { nodePort }),
  }));
  return createOne(context, given, {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, labels: { app: name } },
    spec: {
      type,
      ports,
      selector: { app: name },
      ...(type === 'ExternalName' ? { externalName } : {}),
      ...(clusterIP === undefined ? {} : { clusterIP }),
    },
  });
}

/** `create deployment NAME --image=IMAGE`: labels and selector `app=NAME`. */
function createDeployment(context: Context, given: Arguments): Promise<number> {
  const [, name] = given.words;
  if (name === undefined) throw usageError('exactly one NAME is required, got 0');
  const port = numberOption(given, 'port');
  const labels = { app: name };
  const container = {
    name,
    image: textOption(given, 'image') ?? name,
    ...(port === undefined ? {} : { ports: [{ containerPort: port }] }),
  };
  return createOne(context, given, {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, labels },
    spec: {
      replicas: numberOption(given, 'replicas') ?? 1,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [container] } },
    },
  });
}

/** A manifest created from options. */
export interface MadeManifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly spec?: object;
  readonly type?: string;
  readonly data?: Readonly<Record<string, string>>;
}

/** Adds the namespace of the option, so that it is in the manifest when the user saves the output, as in kubectl. */
function placed(manifest: MadeManifest, given: Arguments): MadeManifest {
  const namespace = textOption(given, 'namespace');
  if (namespace === undefined) return manifest;
  return { ...manifest, metadata: { ...manifest.metadata, namespace } };
}

async function created(
  context: Context,
  manifest: MadeManifest,
  query: { readonly dryRun: boolean; readonly fieldManager: string },
): Promise<ApplyResult | undefined> {
  const source = { text: JSON.stringify(manifest), locate: undefined };
  const [result] = (await send(context, source, { mode: 'create', partial: false, ...query }))
    .results;
  for (const warning of result?.warnings ?? []) warn(context, `Warning: ${warning}`);
  return result;
}

/** Creates one object from options, or shows it. */
export async function createOne(
  context: Context,
  given: Arguments,
  made: MadeManifest,
  word = 'created',
): Promise<number> {
  const manifest = placed(made, given);
  const format = textOption(given, 'output');
  const dry = textOption(given, 'dry-run');
  if (format !== undefined && !['yaml', 'json', 'name'].includes(format)) {
    throw usageError(`--output: expected yaml, json or name, got "${format}"`);
  }
  const dryRun = isDry(given);
  // As in kubectl, a client dry run asks no server: an object shown may exist already, and the output can be applied.
  const isOwn = dry === 'client';
  const fieldManager = managerOf(given, word === 'created' ? 'create' : 'expose');
  const result = isOwn ? undefined : await created(context, manifest, { dryRun, fieldManager });
  const object = isOwn ? manifest : result?.object;
  const title = titleOf({ kind: manifest.kind, name: manifest.metadata.name });
  const shown = dry === 'server' ? ' (server dry run)' : ' (dry run)';
  const writing = { isForTerminal: context.out.isTerminal };
  if (format === 'yaml') context.out.pass(await yamlText(object, writing));
  else if (format === 'json') context.out.pass(jsonText(object, writing));
  else if (format === 'name') say(context, title);
  else say(context, `${title} ${word}${dryRun ? shown : ''}`);
  return EXIT.ok;
}

/** Types that can be created from options alone. */
const MAKERS: ReadonlyMap<string, Command['run']> = new Map([
  ['service', createService],
  ['svc', createService],
  ['deployment', createDeployment],
  ['deploy', createDeployment],
  ['secret', (context, given) => createOne(context, given, tlsSecretOf(given))],
  ['namespace', createNamespace],
  ['ns', createNamespace],
]);

function createNamespace(context: Context, { words: [, name] }: Arguments): Promise<number> {
  if (name === undefined) throw usageError('exactly one NAME is required, got 0');
  warn(
    context,
    `namespace/${name} does not have to be created: it exists as soon as it contains something`,
  );
  return Promise.resolve(EXIT.ok);
}

export const create: Command = {
  name: 'create',
  summary: 'Create objects from files, or a service, a deployment or a secret from options',
  usage:
    'create -f FILE | create service clusterip|nodeport|loadbalancer|externalname NAME | create deployment NAME | create secret tls NAME',
  takes: ['service', 'deployment', 'secret', 'namespace'],
  examples: [
    'create -f svc.yaml',
    'create service clusterip nginx --tcp=8080:80',
    'create service nodeport nginx --tcp=80 --node-port=30120',
    'create service externalname db --external-name db.example.com',
    'create service clusterip nginx --tcp=80 --dry-run=client -o yaml',
    'create deployment web --image=nginx --replicas=3 --port=80',
    'create secret tls shop --cert=shop.pem --key=shop.key',
  ],
  options: {
    ...WRITING,
    tcp: {
      type: 'string',
      multiple: true,
      value: 'PORT[:TARGETPORT]',
      help: 'A port of the service; repeat for several',
    },
    clusterip: { type: 'string', value: 'ADDRESS', help: 'Its cluster IP, or None' },
    'node-port': { type: 'string', value: 'PORT', help: 'Its node port' },
    'external-name': {
      type: 'string',
      value: 'NAME',
      help: 'DNS name that the ExternalName service stands for',
    },
    image: { type: 'string', value: 'IMAGE', help: 'Stored in the deployment; nothing is started' },
    replicas: {
      type: 'string',
      value: 'COUNT',
      help: 'Desired number of instances; default: 1',
    },
    port: { type: 'string', value: 'PORT', help: 'Port of its instances, which expose uses' },
    cert: {
      type: 'string',
      value: 'FILE',
      help: 'The certificate of the secret (PEM), and after it those between it and its authority',
    },
    key: { type: 'string', value: 'FILE', help: 'Its private key (PEM), without a passphrase' },
  },
  run: (context, given) => {
    const [what] = given.words;
    if (listOption(given, 'filename').length > 0) return createFromFiles(context, given);
    const make = what === undefined ? undefined : MAKERS.get(what);
    if (make !== undefined) return make(context, given);
    const got = what === undefined ? '' : `, got "${what}"`;
    throw usageError(
      `create: expected -f FILE, service TYPE NAME, deployment NAME or secret tls NAME${got}`,
    );
  },
};
