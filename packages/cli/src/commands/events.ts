import type { TimelineEvent } from '@rollcall/client-sdk';
import { sleep } from '@rollcall/runtime';
import { EXIT } from '../base/cli-error.ts';
import { type Arguments, type Command, flagOption, textOption } from '../session/command.ts';
import { type Context, warn } from '../session/context.ts';
import { durationText } from '../output/age.ts';
import { objectPathOf, reasonWordOf, severityOf } from '../output/event-words.ts';
import { tableText, widen } from '../output/table.ts';
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

async function run(context: Context, given: Arguments): Promise<number> {
  const { rollcall, clock, signal } = context;
  const isEverywhere = flagOption(given, 'all-namespaces');
  const [service] = (textOption(given, 'for') ?? '').split('/').toReversed();
  const query = {
    namespace: isEverywhere ? '*' : context.namespace,
    ...(service === undefined || service === '' ? {} : { service }),
    limit: 1_000,
  };
  const head = ['LAST SEEN', 'TYPE', 'REASON', 'OBJECT', 'MESSAGE'];
  let seen = '';
  let isFirst = true;
  // Columns keep the widths of the first rows, unless a later cell needs more.
  const widths: number[] = [];
  do {
    const { events } = await rollcall.call('events', { query });
    const at = events.findIndex(({ revision }) => revision === seen);
    const fresh = events.slice(at + 1);
    seen = events.at(-1)?.revision ?? seen;
    const rows = fresh.map((event) => rowOf(event, clock.wallMs(), isEverywhere));
    if (rows.length > 0) {
      const heads = isFirst ? [isEverywhere ? ['NAMESPACE', ...head] : head] : [];
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
  usage: 'events [--for=service/NAME] [-A] [-w]',
  examples: ['events', 'events --for svc/nginx', 'events -w'],
  options: {
    for: { type: 'string', value: 'service/NAME', help: 'Only events of this service' },
    'all-namespaces': SELECTING['all-namespaces'],
    watch: { type: 'boolean', short: 'w', help: 'Keep showing new events' },
  },
  run,
};
