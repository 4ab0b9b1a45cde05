import type { TimelineEvent } from '@rollcall/client-sdk';
import { sleep } from '@rollcall/runtime';
import { EXIT, usageError } from '../base/cli-error.ts';
import {
  type Arguments,
  type Command,
  flagOption,
  listOption,
  textOption,
} from '../session/command.ts';
import { type Context, warn } from '../session/context.ts';
import { durationText } from '../output/age.ts';
import { objectKindOf, objectPathOf, reasonWordOf, severityOf } from '../output/event-words.ts';
import { tableText, widen } from '../output/table.ts';
import { resourceOf } from '../resources/catalog.ts';
import { instances } from '../resources/instances.ts';
import { services } from '../resources/services.ts';
import { SELECTING } from './selecting.ts';

const LOOK_EVERY_MS = 500;

function rowOf(event: TimelineEvent, nowMs: number, showsNamespace: boolean): string[] {
  return [
    ...(showsNamespace ? [event.namespace] : []),
    durationText(nowMs - event.atMs),
    severityOf(event),
    reasonWordOf(event),
    objectPathOf(event),
    event.reason,
  ];
}

interface WantedEvents {
  readonly namespace?: string;
  readonly service?: string;
  readonly instance?: string;
  readonly isWanted: (event: TimelineEvent) => boolean;
}

/** The events of one object: those of a service include those of its instances. */
function eventsFor(text: string | undefined): WantedEvents {
  if (text === undefined || text === '') return { isWanted: () => true };
  const [type, ...names] = text.includes('/') ? text.split('/') : ['service', text];
  const resource = resourceOf(type ?? '');
  const name = names.at(-1) ?? '';
  if (name === '') throw usageError(`--for: expected TYPE/NAME, got "${text}"`);
  if (resource === instances) {
    const [service] = names.length > 1 ? names : [];
    return {
      instance: name,
      ...(service === undefined ? {} : { service }),
      isWanted: ({ instance }) => instance === name,
    };
  }
  const isOfInstances = resource === services;
  return {
    service: name,
    // As in Kubernetes, events of objects without a namespace are in the default one.
    ...(resource.isNamespaced === false ? { namespace: 'default' } : {}),
    isWanted: (event) =>
      event.instance === '' ? objectKindOf(event) === resource.kind : isOfInstances,
  };
}

/** The types of `--types`, as events have them; undefined = all. */
function typesOf(given: Arguments): ReadonlySet<string> | undefined {
  const texts = listOption(given, 'types').flatMap((text) => text.split(','));
  const types = texts.map((text) => {
    const type = ['Normal', 'Warning'].find((one) => one.toLowerCase() === text.toLowerCase());
    if (type === undefined) throw usageError('valid --types are Normal or Warning');
    return type;
  });
  return types.length === 0 ? undefined : new Set(types);
}

async function run(context: Context, given: Arguments): Promise<number> {
  const { rollcall, clock, signal } = context;
  const isEverywhere = flagOption(given, 'all-namespaces');
  const types = typesOf(given);
  const { isWanted, ...wanted } = eventsFor(textOption(given, 'for'));
  const namespace = isEverywhere ? '*' : context.namespace;
  const query = { namespace, ...wanted, limit: 1_000 };
  const head = ['LAST SEEN', 'TYPE', 'REASON', 'OBJECT', 'MESSAGE'];
  let seen = '';
  let isFirst = true;
  // Columns keep the widths of the first rows, unless a later cell needs more.
  const widths: number[] = [];
  do {
    const { events } = await rollcall.call('events', { query });
    const at = events.findIndex(({ revision }) => revision === seen);
    const fresh = events
      .slice(at + 1)
      .filter((event) => isWanted(event) && types?.has(severityOf(event)) !== false);
    seen = events.at(-1)?.revision ?? seen;
    const rows = fresh.map((event) => rowOf(event, clock.wallMs(), isEverywhere));
    if (rows.length > 0) {
      const heads =
        isFirst && !flagOption(given, 'no-headers')
          ? [isEverywhere ? ['NAMESPACE', ...head] : head]
          : [];
      const all = [...heads, ...rows];
      // The message is last: its width moves nothing.
      widen(
        widths,
        all.map((row) => row.slice(0, -1)),
      );
      context.out.write(tableText(all, widths));
      isFirst = false;
    } else if (isFirst && !flagOption(given, 'watch')) {
      warn(context, `No events found${isEverywhere ? '.' : ` in ${context.namespace} namespace.`}`);
    }
    if (flagOption(given, 'watch')) await sleep(clock, LOOK_EVERY_MS, signal);
  } while (flagOption(given, 'watch') && !signal.aborted);
  return EXIT.ok;
}

export const events: Command = {
  name: 'events',
  summary: 'Show what happened: registrations, drains, expiries, declared objects, when and why',
  usage: 'events [--for=TYPE/NAME] [--types=Warning] [-A] [-w]',
  examples: ['events', 'events --for svc/nginx', 'events --types=Warning -w'],
  options: {
    for: {
      type: 'string',
      value: 'TYPE/NAME',
      help: 'Only events of this object; those of a service include those of its instances',
    },
    types: {
      type: 'string',
      multiple: true,
      value: 'Normal,Warning',
      help: 'Only events of these types',
    },
    'no-headers': { type: 'boolean', help: 'Do not print the column headings' },
    'all-namespaces': SELECTING['all-namespaces'],
    watch: { type: 'boolean', short: 'w', help: 'Keep showing new events' },
  },
  run,
};
