import type { Fault, ManifestObject } from '@rollcall/client-sdk';
import { EXIT, usageError } from '../base/cli-error.ts';
import { type Arguments, type Command, flagOption } from '../session/command.ts';
import { type Context, say } from '../session/context.ts';
import { faultsText } from '../session/refusal.ts';
import { endpoints, endpointSlices } from '../resources/endpoints.ts';
import { httpRoutes, ingressClasses, ingresses } from '../resources/ingresses.ts';
import { isDeclared, type Resource } from '../resources/resource.ts';
import { services } from '../resources/services.ts';
import { deployments } from '../resources/workloads.ts';
import { SELECTING } from './selecting.ts';

/** All that is declared, except Secrets: what they hold is not shown, so it cannot be checked from outside. */
const CHECKED: readonly Resource[] = [
  services,
  endpoints,
  endpointSlices,
  ingresses,
  ingressClasses,
  httpRoutes,
  deployments,
];

/** How much one request checks. The registry takes bodies of 1 MiB unless it is told otherwise (`--max-body-bytes`). */
const MOST_AT_ONCE = 200;
const MOST_BYTES = 500_000;

/** What a writer would put back: without what only the registry says. */
function writable(whole: ManifestObject): object {
  const { metadata, status: _, ...object } = whole;
  const { resourceVersion: _version, namespace, ...rest } = metadata;
  return { ...object, metadata: namespace === '' ? rest : { ...rest, namespace } };
}

/** The objects as JSON, in parts of which each fits into a request. */
function* partsOf(objects: readonly ManifestObject[]): Generator<readonly string[]> {
  let part: string[] = [];
  let bytes = 0;
  for (const object of objects) {
    const text = JSON.stringify(writable(object));
    const own = Buffer.byteLength(text);
    if (part.length === MOST_AT_ONCE || (part.length > 0 && bytes + own > MOST_BYTES)) {
      yield part;
      [part, bytes] = [[], 0];
    }
    part.push(text);
    bytes += own;
  }
  if (part.length > 0) yield part;
}

/** The faults that the registry finds in objects when they are put back as they are. Writes nothing. */
async function faultsIn(context: Context, objects: readonly ManifestObject[]): Promise<Fault[]> {
  const found: Fault[] = [];
  for (const part of partsOf(objects)) {
    const { results } = await context.rollcall.call('apply', {
      query: { mode: 'replace', dryRun: true, partial: true },
      body: `{"apiVersion":"v1","kind":"List","items":[${part.join()}]}`,
    });
    for (const { namespace, faults } of results) {
      // An object that went meanwhile has nothing wrong with it.
      const own = faults.filter(({ field }) => field !== '');
      const where = namespace === '' ? '' : ` in namespace ${namespace}`;
      found.push(...own.map((fault) => ({ ...fault, object: `${fault.object}${where}` })));
    }
  }
  return found;
}

async function run(context: Context, given: Arguments): Promise<number> {
  const [word] = given.words;
  if (word !== undefined) throw usageError(`expected no names, got "${word}"`);
  const namespace = flagOption(given, 'all-namespaces') ? '*' : context.namespace;
  const lists = await Promise.all(
    CHECKED.map((resource) => resource.list(context, namespace, undefined)),
  );
  const objects = lists.flat().filter(isDeclared);
  const faults = await faultsIn(context, objects);
  const invalid = new Set(faults.map(({ object }) => object)).size;
  const checked = `${objects.length} ${objects.length === 1 ? 'object' : 'objects'} checked`;
  if (invalid === 0) {
    say(context, `${checked}: all are valid`);
    return EXIT.ok;
  }
  context.out.write(`${faultsText(faults)}\n`);
  const served = 'served as stored, and refused when written again';
  say(context, `${checked}: ${invalid} not valid by the rules of this version: ${served}`);
  return EXIT.failed;
}

export const doctor: Command = {
  name: 'doctor',
  summary: 'Name declared objects that the rules of this version no longer take',
  usage: 'doctor [-A]',
  examples: ['doctor', 'doctor -A'],
  options: { 'all-namespaces': SELECTING['all-namespaces'] },
  run,
};
