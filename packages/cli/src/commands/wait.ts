import type { ManifestObject } from '@rollcall/client-sdk';
import { sleep } from '@rollcall/runtime';
import { CliError, EXIT, usageError } from '../base/cli-error.ts';
import { type Arguments, type Command, textOption } from '../session/command.ts';
import { type Context, say } from '../session/context.ts';
import { durationMs } from '../base/duration.ts';
import { valuesAt } from '../output/jsonpath.ts';
import { visibleLine } from '../output/untrusted.ts';
import { selectionsOf } from '../resources/catalog.ts';
import { find } from '../resources/finding.ts';
import type { Resource } from '../resources/resource.ts';
import { SELECTING } from './selecting.ts';

const POLL_INTERVAL_MS = 100;

/** Whether what is waited for is true. Gets undefined when the object does not exist. */
type Test = (object: ManifestObject | undefined) => boolean;

interface Condition {
  readonly type: string;
  readonly status: string;
}

/**
 * Parses the value of `--for`: `delete`, `create`, `condition=Ready`, `condition=Ready=false`, `jsonpath={.path}`,
 * `jsonpath={.path}=value`.
 */
function parseTest(text: string): Test {
  if (text === 'delete') return (object) => object === undefined;
  if (text === 'create') return (object) => object !== undefined;
  const [, type, status = 'True'] = /^condition=([^=]+)(?:=(.*))?$/.exec(text) ?? [];
  if (type !== undefined) {
    return (object) => {
      const { conditions = [] } = (object?.['status'] ?? {}) as { conditions?: Condition[] };
      const found = conditions.find((one) => one.type.toLowerCase() === type.toLowerCase());
      return found?.status.toLowerCase() === status.toLowerCase();
    };
  }
  const [, path, value] = /^jsonpath=['"]?(\{.*\})['"]?(?:=(.*))?$/.exec(text) ?? [];
  if (path !== undefined) {
    return (object) => {
      const values = object === undefined ? [] : valuesAt(path, object);
      return value === undefined ? values.length > 0 : values.map(String).includes(value);
    };
  }
  throw usageError(
    `--for: expected delete, create, condition=TYPE[=STATUS] or jsonpath={.path}[=VALUE], got "${text}"`,
  );
}

interface Awaited {
  readonly resource: Resource;
  readonly name: string;
}

async function awaitedOf(context: Context, given: Arguments): Promise<Awaited[]> {
  const selector = textOption(given, 'selector');
  const wanted = { namespace: context.namespace, selector };
  const all: Awaited[] = [];
  for (const selection of selectionsOf(given.words)) {
    const { resource, names } = selection;
    const found =
      names.length > 0
        ? names
        : (await find(context, selection, wanted)).objects.map(({ metadata }) => metadata.name);
    all.push(...found.map((name) => ({ resource, name })));
  }
  return all;
}

async function run(context: Context, given: Arguments): Promise<number> {
  const { clock, signal, namespace, err } = context;
  const text = textOption(given, 'for');
  if (text === undefined)
    throw usageError(
      '--for: expected delete, create, condition=TYPE[=STATUS] or jsonpath={.path}[=VALUE]',
    );
  const test = parseTest(text);
  const mayBeMissing = text === 'delete' || text === 'create';
  const endMs = clock.monotonicMs() + durationMs(textOption(given, 'timeout') ?? '30s', 'timeout');
  const awaited = await awaitedOf(context, given);
  if (awaited.length === 0) throw new CliError('error: no matching resources found');
  for (const { resource, name } of awaited) {
    for (let dots = 1; ; dots++) {
      const { objects, missing } = await find(
        context,
        { resource, names: [name] },
        { namespace, selector: undefined },
      );
      if (!mayBeMissing && missing[0] !== undefined) throw new CliError(missing[0]);
      if (test(objects[0])) break;
      if (clock.monotonicMs() > endMs || signal.aborted) {
        const what = `the condition on ${resource.names[0]}/${visibleLine(name)}`;
        const why = signal.aborted ? 'stopped before' : 'timed out waiting for';
        throw new CliError(`error: ${why} ${what}${signal.aborted ? ' was met' : ''}`);
      }
      if (err.isDecorated) {
        err.pass(`\rwaiting for ${visibleLine(name)}${'.'.repeat(dots % 10)}\u001b[K`);
      }
      await sleep(clock, POLL_INTERVAL_MS, signal);
    }
    if (err.isDecorated) err.pass('\r\u001b[K');
    say(context, `${resource.prefix}/${name} condition met`);
  }
  return EXIT.ok;
}

export const wait: Command = {
  name: 'wait',
  summary: 'Wait until a condition is true',
  usage: 'wait (TYPE NAME... | TYPE/NAME... | TYPE [-l SELECTOR]) --for=WHAT [--timeout=30s]',
  takes: 'objects',
  examples: [
    'wait --for=condition=Ready instance/nginx/a',
    'wait --for=condition=available deployment/web --timeout=60s',
    "wait --for=jsonpath='{.status.loadBalancer.ingress}' svc/nginx",
    'wait --for=delete svc/nginx',
  ],
  options: {
    for: {
      type: 'string',
      value: 'WHAT',
      help: 'delete, create, condition=TYPE[=STATUS] or jsonpath={.path}[=VALUE]',
    },
    timeout: {
      type: 'string',
      value: 'DURATION',
      help: 'How long to wait, for all objects together; default: 30s',
    },
    selector: SELECTING.selector,
  },
  run,
};
