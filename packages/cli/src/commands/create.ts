import type { ApplyResult, ManifestObject } from '@rollcall/client-sdk';
import { EXIT, usageError } from '../base/cli-error.ts';
import {
  type Arguments,
  type Command,
  flagOption,
  listOption,
  numberOption,
  textOption,
} from '../session/command.ts';
import { type Context, say, warn } from '../session/context.ts';
import { checkWrittenFormat, printed } from '../resources/printer.ts';
import { ingressOf } from './create-ingress.ts';
import { tlsSecretOf } from './create-secret.ts';
import { serviceOf } from './create-service.ts';
import {
  createFromFiles,
  isDry,
  LAST_APPLIED,
  printing,
  SAVE_CONFIG,
  send,
  titleOf,
  WRITING,
} from './apply.ts';
import { managerOf } from './writing.ts';

/** A container is named after its image, without the registry and the tag. */
function containerNameOf(image: string): string {
  const [named = ''] = (image.split('/').at(-1) ?? '').split(/[:@]/);
  return named.toLowerCase().replaceAll(/[^a-z0-9-]/g, '-');
}

/** `create deployment NAME --image=IMAGE`: labels and selector `app=NAME`. */
function createDeployment(context: Context, given: Arguments): Promise<number> {
  const [, name] = given.words;
  if (name === undefined) throw usageError('exactly one NAME is required, got 0');
  const port = numberOption(given, 'port');
  const labels = { app: name };
  const images = listOption(given, 'image');
  const containers = (images.length === 0 ? [name] : images).map((image) => ({
    name: containerNameOf(image),
    image,
    ...(port === undefined ? {} : { ports: [{ containerPort: port }] }),
  }));
  return createOne(context, given, {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, labels },
    spec: {
      replicas: numberOption(given, 'replicas') ?? 1,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers } },
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
    readonly annotations?: Readonly<Record<string, string>>;
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

/** With itself as what was applied last, for `--save-config`. */
function saved(manifest: MadeManifest, given: Arguments): MadeManifest {
  if (!flagOption(given, 'save-config')) return manifest;
  const annotations = {
    ...manifest.metadata.annotations,
    [LAST_APPLIED]: JSON.stringify(manifest),
  };
  return { ...manifest, metadata: { ...manifest.metadata, annotations } };
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
  const manifest = saved(placed(made, given), given);
  const format = textOption(given, 'output');
  checkWrittenFormat(format);
  const dry = textOption(given, 'dry-run');
  const dryRun = isDry(given);
  // As in kubectl, a client dry run asks no server: an object shown may exist already, and the output can be applied.
  const isOwn = dry === 'client';
  const fieldManager = managerOf(given, word === 'created' ? 'create' : 'expose');
  const result = isOwn ? undefined : await created(context, manifest, { dryRun, fieldManager });
  const object = isOwn ? shownManifest(manifest) : (result?.object ?? manifest);
  const title = titleOf({ kind: manifest.kind, name: manifest.metadata.name });
  const shown = dry === 'server' ? ' (server dry run)' : ' (dry run)';
  if (format === undefined) say(context, `${title} ${word}${dryRun ? shown : ''}`);
  else if (format === 'name') say(context, title);
  else
    context.out.pass(
      await printed([object as ManifestObject], undefined, printing(context, format)),
    );
  return EXIT.ok;
}

/** With the empty status that kubectl shows of objects that have one. */
function shownManifest(manifest: MadeManifest): object {
  const hasStatus = ['Service', 'Ingress'].includes(manifest.kind);
  return hasStatus ? { ...manifest, status: { loadBalancer: {} } } : manifest;
}

function createWith(manifestOf: (given: Arguments) => MadeManifest): Command['run'] {
  return (context, given) => createOne(context, given, manifestOf(given));
}

/** Types that can be created from options alone. */
const MAKERS: ReadonlyMap<string, Command['run']> = new Map([
  ['service', createWith(serviceOf)],
  ['svc', createWith(serviceOf)],
  ['ingress', createWith(ingressOf)],
  ['ing', createWith(ingressOf)],
  ['deployment', createDeployment],
  ['deploy', createDeployment],
  ['secret', createWith(tlsSecretOf)],
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
  summary:
    'Create objects from files, or a service, an ingress, a deployment or a secret from options',
  usage:
    'create -f FILE | create service clusterip|nodeport|loadbalancer|externalname NAME | create ingress NAME | create deployment NAME | create secret tls NAME',
  takes: ['service', 'ingress', 'deployment', 'secret', 'namespace'],
  examples: [
    'create -f svc.yaml',
    'create service clusterip nginx --tcp=8080:80',
    'create service nodeport nginx --tcp=80 --node-port=30120',
    'create service externalname db --external-name db.example.com',
    'create service clusterip nginx --tcp=80 --dry-run=client -o yaml',
    "create ingress shop --class=rollcall --rule='shop.example/*=web:80,tls=shop'",
    'create deployment web --image=nginx --replicas=3 --port=80',
    'create secret tls shop --cert=shop.pem --key=shop.key',
  ],
  options: {
    ...WRITING,
    'save-config': SAVE_CONFIG,
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
    rule: {
      type: 'string',
      multiple: true,
      value: 'HOST/PATH=SERVICE:PORT[,tls[=SECRET]]',
      help: 'A rule of the ingress; a path that ends in * matches all that begin with it; repeat for several',
    },
    class: { type: 'string', value: 'CLASS', help: 'Class of the ingress' },
    'default-backend': {
      type: 'string',
      value: 'SERVICE:PORT',
      help: 'Backend of the ingress for what no rule matches',
    },
    annotation: {
      type: 'string',
      multiple: true,
      value: 'KEY=VALUE',
      help: 'An annotation of the ingress; repeat for several',
    },
    image: {
      type: 'string',
      multiple: true,
      value: 'IMAGE',
      help: 'Stored in the deployment, a container for each; nothing is started',
    },
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
      `create: expected -f FILE, service TYPE NAME, ingress NAME, deployment NAME or secret tls NAME${got}`,
    );
  },
};
