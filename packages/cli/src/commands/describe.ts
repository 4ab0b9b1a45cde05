import type { ManifestObject } from '@rollcall/client-sdk';
import { EXIT, usageError } from '../base/cli-error.ts';
import { type Arguments, type Command, flagOption, textOption } from '../session/command.ts';
import { type Context, warn } from '../session/context.ts';
import { deploymentPage } from '../pages/deployment-page.ts';
import { endpointSlicePage, endpointsPage } from '../pages/endpoints-page.ts';
import { ingressClassPage, ingressPage } from '../pages/ingress-page.ts';
import { instancePage } from '../pages/instance-page.ts';
import { otherPage } from '../pages/other-page.ts';
import { namespacePage, plainPage } from '../pages/plain-page.ts';
import { servicePage } from '../pages/service-page.ts';
import { find, type Found, nothingFound } from '../resources/finding.ts';
import { selectionsBy } from '../resources/named-in-files.ts';
import { FILES } from './apply.ts';
import { SELECTING } from './selecting.ts';

type Page = (context: Context, object: ManifestObject) => Promise<string> | string;

const PAGES: Readonly<Record<string, Page>> = {
  Service: servicePage,
  Instance: instancePage,
  Ingress: ingressPage,
  IngressClass: ingressClassPage,
  Deployment: deploymentPage,
  HTTPRoute: plainPage,
  Namespace: (_, object) => namespacePage(object),
  Endpoints: (_, object) => endpointsPage(object),
  EndpointSlice: (_, object) => endpointSlicePage(object),
};

/** As in kubectl: if no object has this name, matches names that start with it. */
async function withPrefix(context: Context, found: Found): Promise<Found> {
  const { resource, names } = found.selection;
  const [name] = names;
  if (name === undefined || names.length > 1 || found.missing.length === 0) return found;
  const all = await resource.list(context, context.namespace, undefined);
  const objects = all.filter(({ metadata }) => metadata.name.startsWith(name));
  return objects.length === 0 ? found : { ...found, objects, missing: [] };
}

/** The last part of a page. No value begins a line: further lines of a text are indented. */
const EVENTS = /^Events:[^]*$/m;

function showsEventsOf(given: Arguments): boolean {
  const text = textOption(given, 'show-events') ?? 'true';
  if (['true', 'false'].includes(text)) return text === 'true';
  throw usageError(`--show-events: expected true or false, got "${text}"`);
}

export const describe: Command = {
  name: 'describe',
  summary: 'Show one thing with its endpoints, conditions and events',
  usage: 'describe TYPE [NAME...] | TYPE/NAME... | -f FILE [options]',
  takes: 'objects',
  examples: ['describe svc nginx', 'describe instance nginx/a', 'describe svc -l app=nginx'],
  options: {
    ...FILES,
    ...SELECTING,
    'show-events': {
      type: 'string',
      value: 'true|false',
      help: 'Whether events are shown; default: true',
    },
  },
  run: async (context, given) => {
    const isEverywhere = flagOption(given, 'all-namespaces');
    const namespace = isEverywhere ? '*' : context.namespace;
    const selector = textOption(given, 'selector');
    const texts: string[] = [];
    const missing: string[] = [];
    const showsEvents = showsEventsOf(given);
    const selections = await selectionsBy(context, given);
    for (const { namespace: own = context.namespace, ...selection } of selections) {
      const place = { ...context, namespace: own };
      const wanted = { namespace, selector };
      const found = await withPrefix(place, await find(place, selection, wanted));
      missing.push(...found.missing);
      for (const object of found.objects) {
        const page = await (PAGES[object.kind] ?? ((_, one) => otherPage(one)))(place, object);
        texts.push(showsEvents ? page : page.replace(EVENTS, ''));
      }
    }
    context.out.write(texts.join('\n\n'));
    for (const message of missing) context.err.write(`${message}\n`);
    if (texts.length === 0 && missing.length === 0) {
      warn(context, nothingFound(context, selections, isEverywhere));
    }
    return missing.length > 0 ? EXIT.failed : EXIT.ok;
  },
};
