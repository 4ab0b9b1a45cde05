import type { ManifestObject } from '@rollcall/client-sdk';
import { CliError, EXIT, usageError } from '../base/cli-error.ts';
import { type Arguments, type Command, textOption } from '../session/command.ts';
import { type Context, say } from '../session/context.ts';
import { readText } from '../session/manifest-files.ts';
import { oneOf } from '../resources/catalog.ts';
import { instances } from '../resources/instances.ts';
import { checkWritable } from '../resources/resource.ts';
import { specOf } from '../resources/services.ts';

type Ports = readonly { readonly port?: number; readonly $patch?: string }[];

interface Patch extends Record<string, unknown> {
  spec?: { ports?: Ports };
}

/** One step of a JSON patch (RFC 6902). */
interface Step {
  readonly op: string;
  readonly path: string;
  readonly value?: unknown;
}

/** Merges like Kubernetes by default: a service's ports are matched by number, other lists are replaced. */
function withMergedPorts(object: ManifestObject, patch: Patch): Patch {
  const { ports } = patch.spec ?? {};
  if (object.kind !== 'Service' || !Array.isArray(ports)) return patch;
  const known = new Map((specOf(object).ports ?? []).map((one) => [one.port, one as object]));
  for (const { $patch: word, ...port } of ports as Ports) {
    if (word === 'delete') known.delete(port.port);
    else known.set(port.port, { ...known.get(port.port), ...port });
  }
  return { ...patch, spec: { ...patch.spec, ports: [...known.values()] as Ports } };
}

/** Applies the steps of a JSON patch to a copy. */
function stepped(object: ManifestObject, steps: readonly Step[]): ManifestObject {
  const copy = structuredClone(object) as Record<string, unknown>;
  for (const { op, path, value } of steps) {
    const keys = path.split('/').slice(1);
    const [last = '', ...above] = keys
      .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'))
      .toReversed();
    const parent = above
      .toReversed()
      .reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], copy);
    const isThere = typeof parent === 'object' && parent !== null && last in parent;
    if (typeof parent !== 'object' || parent === null || (op !== 'add' && !isThere)) {
      throw new CliError(`The request is invalid: ${op} ${path}: there is no such field`);
    }
    change(parent as Record<string, unknown>, last, { op, path, value });
  }
  return copy as ManifestObject;
}

function change(parent: Record<string, unknown>, key: string, { op, path, value }: Step): void {
  if (!['add', 'replace', 'remove', 'test'].includes(op)) {
    throw usageError(`--patch: expected the op add, replace, remove or test, got "${op}"`);
  }
  if (op === 'test') {
    if (JSON.stringify(parent[key]) === JSON.stringify(value)) return;
    throw new CliError(`The request is invalid: testing ${path}: it has another value`);
  }
  if (Array.isArray(parent)) {
    const at = key === '-' ? parent.length : Number(key);
    const isNew = op === 'add';
    parent.splice(at, isNew ? 0 : 1, ...(op === 'remove' ? [] : [value]));
  } else if (op === 'remove') delete parent[key];
  else parent[key] = value;
}

async function patchOf(given: Arguments): Promise<unknown> {
  const file = textOption(given, 'patch-file');
  const text = file === undefined ? textOption(given, 'patch') : readText(file);
  if (text === undefined) {
    throw usageError('must specify --patch or --patch-file containing the contents of the patch');
  }
  const { parse } = await import('yaml');
  try {
    return parse(text) as unknown;
  } catch (error) {
    throw new CliError(`error: unable to parse "${text}": ${(error as Error).message}`);
  }
}

async function run(context: Context, given: Arguments): Promise<number> {
  const { resource, name } = oneOf(given.words, patch.usage);
  checkWritable(resource);
  if (resource === instances) throw usageError('to change an instance, use label or drain');
  const type = textOption(given, 'type') ?? 'strategic';
  if (!['strategic', 'merge', 'json'].includes(type)) {
    throw usageError(`--type must be one of [json merge strategic], not "${type}"`);
  }
  const wanted = await patchOf(given);
  const before = await resource.get(context, context.namespace, name);
  const params = { ns: context.namespace, kind: resource.names[0] ?? '', name };
  const after =
    type === 'json'
      ? await context.rollcall.call('putManifest', {
          params,
          body: JSON.stringify(stepped(before, wanted as Step[])),
        })
      : await context.rollcall.call('patchManifest', {
          params,
          body: type === 'strategic' ? withMergedPorts(before, wanted as Patch) : (wanted as Patch),
        });
  const isSame = after.metadata.resourceVersion === before.metadata.resourceVersion;
  say(context, `${resource.prefix}/${name} patched${isSame ? ' (no change)' : ''}`);
  return EXIT.ok;
}

export const patch: Command = {
  name: 'patch',
  summary: 'Change fields of a declared object',
  usage: 'patch TYPE NAME -p PATCH [--type=strategic|merge|json]',
  takes: 'objects',
  examples: [
    `patch svc nginx -p '{"spec":{"type":"NodePort"}}'`,
    `patch svc nginx --type=json -p '[{"op":"replace","path":"/spec/ports/0/nodePort","value":30120}]'`,
  ],
  options: {
    patch: { type: 'string', short: 'p', value: 'PATCH', help: 'The patch, in JSON or YAML' },
    'patch-file': { type: 'string', value: 'FILE', help: 'A file with the patch' },
    type: {
      type: 'string',
      value: 'TYPE',
      help: 'strategic (default: ports are merged by their numbers), merge (RFC 7386) or json (RFC 6902)',
    },
  },
  run,
};
