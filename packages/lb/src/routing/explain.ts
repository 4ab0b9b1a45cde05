import type { RequestView } from '@rollcall/dataplane';
import type { RuleConfig } from '../config/rule-schema.ts';
import type { ActionConfig, Config, ListenerConfig } from '../config/schema.ts';
import { normalPath } from '../matching/normal-path.ts';
import { entriesOf } from '../matching/rule-entries.ts';
import { RuleTable } from '../matching/rule-table.ts';

/** A request that is only thought of. */
export interface Question {
  readonly method: string;
  readonly url: URL;
  /** By name in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** Address of the client. */
  readonly source: string;
}

/** Which rule takes a request, and why the others do not, as lines. */
export function explain({ listeners }: Pick<Config, 'listeners'>, question: Question): string[] {
  const { url } = question;
  const port = Number(url.port) || (url.protocol === 'https:' ? 443 : 80);
  const own = listeners.filter((listener) => listener.port === port);
  const meant = own.length > 0 ? own : listeners;
  const note = own.length > 0 ? [] : [`no listener has the port ${port}: all are shown`];
  return [...note, ...meant.flatMap((listener) => explainListener(listener, question))];
}

function explainListener(listener: ListenerConfig, question: Question): string[] {
  const { method, url } = question;
  const request = requestOf(question);
  const path = normalPath(request.path);
  const head = `listener ${listener.name}: ${method} ${url.host}${request.target}`;
  if (path === undefined) return [head, '  refused with 400: the path can be read in several ways'];
  const shownPath = path === request.path ? [] : [`  its path is compared as ${path}`];
  const lines: string[] = [head, ...shownPath];
  for (const { value, conditions, index } of new RuleTable(entriesOf(listener.rules)).candidates(
    request.host,
    path,
  )) {
    const failed = conditions.filter((one) => !one.holds(request)).map(({ words }) => words);
    const rule = `  ${value.name ?? `rules[${index}]`} (${placeOf(value)})`;
    if (failed.length === 0) return [...lines, `${rule}: this one: ${actionOf(value)}`];
    lines.push(`${rule}: not ${failed.join(', not ')}`);
  }
  const fallback = listener.default;
  const end = fallback === undefined ? 'no rule: 404' : `default: this one: ${actionOf(fallback)}`;
  return [...lines, `  ${end}`];
}

function requestOf({ method, url, headers, source }: Question): RequestView {
  const target = `${url.pathname}${url.search}`;
  return {
    method,
    host: url.hostname.toLowerCase(),
    target,
    path: url.pathname,
    clientAddress: source,
    rule: '',
    requestId: '',
    isSecure: url.protocol === 'https:',
    field: (name) => headers[name],
  };
}

function placeOf({ host = 'any host', path, priority }: RuleConfig): string {
  const place = path === undefined ? 'any path' : JSON.stringify(path).replaceAll('"', '');
  return `${priority === undefined ? '' : `priority ${priority}, `}${host}, ${place}`;
}

const GATES = ['rateLimit', 'basicAuth', 'jwt', 'forwardAuth'] as const;

function actionOf(config: ActionConfig & Partial<RuleConfig>): string {
  const { targetGroup, forward, fixedResponse, redirect } = config;
  const gates = GATES.filter((gate) => config[gate] !== undefined);
  const before = gates.length === 0 ? '' : `after ${gates.join(', ')}: `;
  if (fixedResponse !== undefined) return `${before}answers ${fixedResponse.status}`;
  if (redirect !== undefined) return `${before}redirects`;
  const shares = forward?.map((share) => `${share.targetGroup} (weight ${share.weight})`);
  return `${before}target group ${shares?.join(' or ') ?? targetGroup}`;
}
