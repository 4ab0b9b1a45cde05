// Writes the docs that are generated from tables: docs/errors.md, options.md, api.md, the picture of the README,
// the end of promises.md, and the schema of the balancer's file for editors.
//
//     npm run docs              writes them
//     npm run docs -- --check   exits with 1 if one differs from the tables
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PROBLEMS, ROUTES, type Route, STATE_TABLE } from '@rollcall/contract';
import { type OptionSpec, shownDefault } from '@rollcall/daemon';
import { OPTIONS as DNS_OPTIONS } from '@rollcall/dns-server';
import { OPTIONS as BALANCER_OPTIONS } from '@rollcall/lb';
import { OPTIONS as PROXY_OPTIONS } from '@rollcall/node-proxy';
import { OPTIONS as REGISTRY_OPTIONS } from '@rollcall/registry-server';
import { PLANTED_BUGS } from '../planted-bugs/bugs.ts';
import { balancerKeys } from './docs/balancer-keys.ts';
import { balancerSchema } from './docs/balancer-schema.ts';
import { modelsSvg } from './docs/models.ts';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

const table = (head: readonly string[], rows: readonly (readonly string[])[]) =>
  [head, head.map(() => '---'), ...rows]
    .map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`)
    .join('\n');

const code = (text: string) => `\`${text}\``;

function errors(): string {
  const rows = Object.entries(PROBLEMS).map(([name, { status, retryable, title }]) => [
    code(name),
    String(status),
    retryable ? 'yes' : 'no',
    title,
  ]);
  return `# Errors

Every refusal of the registry is a problem document (\`application/problem+json\`, RFC 9457) with these members:
\`code\`, \`status\`, \`title\`, \`retryable\`, \`field\` (path of the wrong field; empty if the fault is not in one field) and
\`detail\` (what was expected, and the value unless it is secret; repeated as \`message\` for clients of version 0.1). Retryable ones have the header
\`Retry-After\`, in seconds.

${table(['code', 'status', 'retryable', 'meaning'], rows)}
`;
}

function optionTable(all: Readonly<Record<string, OptionSpec>>): string {
  const rows = Object.values(all).map((option) => {
    const { flag, env = '', value, help } = option;
    const standard = shownDefault(option);
    const name = value === undefined ? `--[no-]${flag}` : `--${flag} ${value}`;
    const cells = [name, env, standard ?? ''].map((text) => (text === '' ? '' : code(text)));
    return [...cells, help];
  });
  return table(['flag', 'environment', 'default', 'what it does'], rows);
}

function options(): string {
  const keys = balancerKeys(root).map(({ key, fallback, text }) => [
    code(key),
    fallback === '' ? '' : code(fallback),
    text,
  ]);
  return `# Options of the servers

A flag wins over its environment variable. A wrong value is refused at start with the option, the value and what was
expected, and exit code 2. For several values, repeat the option or separate them by commas (tokens: by spaces). The options of the SDK are in
[packages/client-sdk](../packages/client-sdk/README.md).

## Registry server

${optionTable(REGISTRY_OPTIONS)}

## Load balancer

${optionTable(BALANCER_OPTIONS)}

Everything else is in its file, described in [packages/lb](../packages/lb/README.md):

${table(['key', 'default', 'what it does'], keys)}

## Node proxy

${optionTable(PROXY_OPTIONS)}

## DNS server

${optionTable(DNS_OPTIONS)}
`;
}

function api(): string {
  const states = Object.entries(STATE_TABLE).map(
    ([state, { ready, serving, terminating, tier }]) => [
      code(state),
      ready ? 'yes' : 'no',
      serving ? 'yes' : 'no',
      terminating ? 'yes' : 'no',
      tier === null ? '-' : String(tier),
    ],
  );
  const routes = Object.values<Route>(ROUTES).map(({ method, path, summary, scope, reply }) => [
    code(`${method} ${path}`),
    summary,
    scope === 'register' || scope === 'lease'
      ? 'register:NAMESPACE/SERVICE'
      : ['read', 'report', 'secrets'].includes(scope)
        ? `${scope}:NAMESPACE`
        : scope,
    reply.body === 'stream' ? `${reply.status}, event stream` : String(reply.status),
  ]);
  return `# The API

A running registry has the full description at \`/openapi.json\`, and a page to browse it at \`/docs\`.

## Calls

${table(['call', 'what it does', 'token scope', 'success'], routes)}

These need no token: \`GET /livez\` (the process runs), \`GET /readyz\` (a picture is loaded; with \`?for=writes\` also: the store accepts writes),
\`GET /metrics\` (Prometheus), \`GET /openapi.json\`, \`GET /docs\`.

## Watching

\`GET /v1/watch\` sends server-sent events: one \`snapshot\` for each service, then a \`bookmark\` with \`synced: true\`, then one \`change\` after
another, and a bookmark at least every 5 s.

To resume, send back the last \`id\` unchanged, in the header \`Last-Event-ID\` (a browser's EventSource does this by itself) or as
\`?since=ID\`. The id consists of a revision and a digest of everything before it. A bookmark has them as \`revision\` and \`digest\`, for
\`?since=REVISION&digest=DIGEST\`. From the digest the registry recognises a past that its store has lost. Then it sends \`compacted\`, and every
service that the following snapshots do not name no longer exists. Without a digest the registry trusts the revision. For each service that
changed in the meantime, a resumed stream gets one change with the result.

A stream can be extended while it is open. Its first bookmark has its name, \`"stream": "…"\`. Send
\`POST /v1/watch/STREAM?namespace=NAMESPACE\` with \`{"services": ["stock"]}\` to the same server; the answer is 204. Then the stream gets
\`extended\` with the names, one \`snapshot\` for each, a synced bookmark, and from then on their changes. Without \`services\`, the stream covers
the whole namespace from then on; so does a stream with more than 2,000 services. A server that does not have this stream answers 404
\`watch_unknown\`: open another one. A stream that resumes from an \`id\` covers the services in its query, not those added by extension.

## States of an instance

The first four are reported by the instance or set by an operator's override. The last three are doubts of the registry about an instance that
reported \`up\`. Calls go to tier 0; to tier 1 only if no endpoint of tier 0 is left; \`-\` gets no new calls.

${table(['state', 'ready', 'serving', 'terminating', 'tier'], states)}
`;
}

/** Replaces the table of planted bugs at the end of the hand-written text. */
function promises(): string {
  const written = readFileSync(join(root, 'docs/promises.md'), 'utf8');
  const rows = PLANTED_BUGS.map(({ promise, what, file, test }) => [
    promise,
    what,
    code(file),
    `${code(test.file)} "${test.name}"`,
  ]);
  const head = ['promise', 'bug', 'planted in', 'noticed by'];
  const text = written.slice(0, written.indexOf(PLANTED_HEAD));
  return `${text}${PLANTED_HEAD}\n\n${table(head, rows)}\n`;
}

const PLANTED_HEAD = '<!-- from here on made from planted-bugs/bugs.ts -->';

const DOCS = {
  'docs/errors.md': errors,
  'docs/options.md': options,
  'docs/api.md': api,
  'docs/models.svg': modelsSvg,
  'docs/promises.md': promises,
  'packages/lb/config.schema.json': () => balancerSchema(root),
};
const isCheck = process.argv.includes('--check');

for (const [name, make] of Object.entries(DOCS)) {
  const file = join(root, name);
  const text = make();
  const isSame = existsSync(file) && readFileSync(file, 'utf8') === text;
  if (!isCheck) writeFileSync(file, text);
  else if (!isSame) {
    console.error(`${name} is not what the tables say: npm run docs`);
    process.exitCode = 1;
  }
}
