import { ConfigError } from '@rollcall/daemon';
import { DURATION, parseDuration } from '../operations/duration.ts';
import type { AdminClient } from './admin-client.ts';
import { historyLines } from './history-lines.ts';
import { targetLines } from './target-lines.ts';

/** The options that ask something of a running balancer. */
export interface OperatorWords {
  readonly targets?: boolean | undefined;
  readonly history?: string | undefined;
  readonly drain?: string | undefined;
  readonly undrain?: string | undefined;
  readonly shiftZone?: string | undefined;
  readonly unshiftZone?: string | undefined;
  readonly for?: string | undefined;
  readonly force?: boolean | undefined;
}

/** Asks something of a running balancer. @returns what is shown, as lines. */
export type OperatorCommand = (admin: AdminClient) => Promise<readonly string[]>;

/** The command that the options ask for; undefined: none. @throws ConfigError for wrong ones. */
export function operatorCommand(words: OperatorWords): OperatorCommand | undefined {
  const commands = [
    words.targets === true ? showTargets : undefined,
    words.history === undefined ? undefined : showHistory(words.history),
    words.drain === undefined ? undefined : drain(words.drain, words.force === true),
    words.undrain === undefined ? undefined : undrain(words.undrain),
    words.shiftZone === undefined ? undefined : shift(words.shiftZone, words),
    words.unshiftZone === undefined ? undefined : unshift(words.unshiftZone),
  ].filter((command) => command !== undefined);
  if (commands.length > 1) throw new ConfigError('expected one of --targets, --drain and the like');
  return commands[0];
}

const showTargets: OperatorCommand = async (admin) => targetLines(await admin.get('/targets'));

function showHistory(text: string): OperatorCommand {
  const { group, target } = named('history', text);
  const query = new URLSearchParams({ group, ...(target === undefined ? {} : { target }) });
  return async (admin) => historyLines(await admin.get(`/targets/history?${query.toString()}`));
}

function drain(text: string, isForced: boolean): OperatorCommand {
  const path = targetPath('drain', text);
  return async (admin) => {
    const reply = await admin.post(`${path}/drain${isForced ? '?force=true' : ''}`);
    const { group, target, inFlight } = reply as Record<string, string | number>;
    return [`${group}: ${target} is drained; ${inFlight} requests in progress may finish`];
  };
}

function undrain(text: string): OperatorCommand {
  const path = targetPath('undrain', text);
  return async (admin) => {
    const reply = await admin.post(`${path}/undrain`);
    const { group, target, wasDrained } = reply as Record<string, string | boolean>;
    return [`${group}: ${target} ${wasDrained === true ? 'is' : 'was'} not drained`].map((line) =>
      wasDrained === true ? `${line} any more` : line,
    );
  };
}

function shift(zone: string, words: OperatorWords): OperatorCommand {
  const { for: length = '', force } = words;
  if (parseDuration(length) === undefined)
    throw new ConfigError(`--for: expected ${DURATION}, got ${JSON.stringify(length)}`);
  const query = `for=${length}${force === true ? '&force=true' : ''}`;
  return async (admin) => {
    const reply = await admin.post(`/zones/${encodeURIComponent(zone)}/shift?${query}`);
    const { until } = reply as Record<string, string>;
    return [`zone ${zone} gets no requests until ${until}`];
  };
}

function unshift(zone: string): OperatorCommand {
  return async (admin) => {
    const reply = await admin.post(`/zones/${encodeURIComponent(zone)}/unshift`);
    const { wasShifted } = reply as Record<string, boolean>;
    return [wasShifted === true ? `zone ${zone} gets requests again` : `zone ${zone} had them`];
  };
}

/** Names of groups of Ingresses have two slashes themselves, and so may targets have. */
const NAMED = /^(ingress\/[^/]+\/[^/]+|(?!ingress\/)[^/]+)(?:\/(.+))?$/;

function named(option: string, text: string): { group: string; target: string | undefined } {
  const [, group, target] = NAMED.exec(text) ?? [];
  if (group !== undefined) return { group, target };
  throw new ConfigError(`--${option}: expected GROUP/TARGET, got ${JSON.stringify(text)}`);
}

function targetPath(option: string, text: string): string {
  const { group, target } = named(option, text);
  if (target === undefined)
    throw new ConfigError(`--${option}: expected GROUP/TARGET, got ${JSON.stringify(text)}`);
  return `/targets/${encodeURIComponent(group)}/${encodeURIComponent(target)}`;
}
